#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/log.hpp>
#include <locum/core/solver.hpp>
#include <locum/physics/equation.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace locum::solvers {

/// Which random problems make a dataset.
struct Draws {
  std::int64_t samples = 0;
  Grid grid;
  std::uint64_t seed = 0;
};

/// What is stored of a state on its way.
struct Trajectory {
  double spin_up = 0;          ///< Time that random initial states are advanced before the first stored one.
  double interval = 1;         ///< Time between stored states.
  std::int64_t intervals = 1;  ///< Of them; one state more is stored.
  std::int64_t every = 1;      ///< Each n-th point along each axis is stored.
};

/// Solves random problems of an equation, samples spread over the ranks, into an HDF5 dataset in The Well's layout,
/// with a small .xdmf beside it that shows it in ParaView.
///
/// Collective. The file is the same for any number of ranks. What is solved is kept in the folder `file`.parts until
/// the dataset is complete: a run that was interrupted goes on from there. A problem whose solve fails is reported,
/// left out, and named in the dataset's provenance; row i of scalar "draw" says which problem row i is. An existing,
/// complete file is left as it is.
///
/// Of an equation on meshes (physics::MeshEquation) the dataset is an io::MeshDataset, one mesh a sample; the first 20
/// samples are beside it as a series of .vtu files for ParaView.
/// @param provenance  what the dataset was made with: equation, options, version
/// @return  samples in the dataset
/// @throws OptionError  if `file` or its parts were made with another provenance.
/// @throws SolverError  if every single problem failed.
std::int64_t generate(const Communicator& ranks, const physics::SteadyEquation& equation, SteadySolver& solver,
                      const Draws& draws, const std::filesystem::path& file,
                      const std::map<std::string, std::string>& provenance, const Log& log);

/// The same of an evolving equation: sample i is what becomes of random initial state i. Fields vary in time, and the
/// time of the first stored state is 0.
/// @throws OptionError  if the trajectory has no intervals, or `every` does not divide the points of the grid
std::int64_t generate(const Communicator& ranks, const physics::EvolvingEquation& equation, EvolvingSolver& solver,
                      const Draws& draws, const Trajectory& trajectory, const std::filesystem::path& file,
                      const std::map<std::string, std::string>& provenance, const Log& log);

}  // namespace locum::solvers
