#pragma once
#include <locum/core/communicator.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "../case.hpp"
#include "../run_folder.hpp"

/// The verbs of the command. Each reads a case, leaves its results in the run folder and says in the log what it did.
namespace locum::cli {

/// Solves the case's random problems into data/train.h5 and data/test.h5. Collective; samples over ranks.
void generate(const Communicator& ranks, const Case& c, const RunFolder& folder);

/// Evaluates the case's model, untrained, on one problem: what cannot work fails before hours of computing.
/// @param inputs  fields of the problem that the model reads
/// @param where   the problem is from, for the message
/// @throws ShapeError, OptionError  if the model cannot be built, or not take the problem's grid.
void try_model(const Case& c, const Sample& problem, const std::vector<std::string>& inputs, const std::string& where);

/// Trains the case's model: checkpoint.h5, best.h5, metrics.jsonl; or all its members, each in a folder of its own.
/// Collective; ranks share each batch, or, if there are several members, the members.
/// @throws Stopped  if a signal said so: its checkpoint is written (stop_signals.hpp)
void train(const Communicator& ranks, const Case& c, const RunFolder& folder);

/// Searches options as [tune] says by successive halving: each trial is a run in a folder of its own, tune/0, …;
/// tune.json, figures/tune_*.png. Collective; each trial on one rank. Makes the case's data if they are missing.
/// @throws Stopped  as train() does
void tune(const Communicator& ranks, const Case& c, const RunFolder& folder);

/// Prints what runs have in common and how they differ: options, errors, seconds; their loss curves in one picture.
/// @param picture  the PNG to write
void compare(const std::vector<std::filesystem::path>& runs, const std::filesystem::path& picture);

/// Compares the trained model with the test samples: summary.json, figures/, paraview/. One rank.
void evaluate(const Communicator& ranks, const Case& c, const RunFolder& folder);

/// Compares the trained model with the test samples and with those of other files, of any resolution or distribution:
/// a table in the log, "relative_l2 on FILE" … in summary.json. One rank.
void evaluate_on(const Communicator& ranks, const Case& c, const RunFolder& folder,
                 const std::vector<std::string>& files);

/// Finds the terms that the case's equation lacks, from increments of a filter or from pairs of states of [truth], and
/// tries the equation with them: discovered.json, figures/, summary.json, data/observations.h5. One rank.
/// @throws OptionError  if the case has neither increments nor a truth
void discover(const Communicator& ranks, const Case& c, const RunFolder& folder);

/// What `locum solve` was asked.
struct SolveRequest {
  std::string with = "reference";   ///< "reference", a checkpoint, or a run folder.
  std::filesystem::path input;      ///< HDF5 file with the problem; empty: draw a random one.
  std::int64_t sample = 0;          ///< Row of `input`, or number of the random problem.
  std::int64_t samples = 1;         ///< So many problems from there on: an ensemble.
  std::vector<std::int64_t> cells;  ///< Grid of a random problem; empty: generate.cells.
  bool compare = false;             ///< Solve with the reference too.
};

/// Solves a problem with the chosen solver: time, residual, a file for ParaView; of several problems what they have in
/// common, io::summarise(). Collective for the reference.
void solve(const Communicator& ranks, const Case& c, const RunFolder& folder, const SolveRequest& request);

/// Assimilates observations with the chosen solver as the model: cycles.csv, summary.json, analysis.h5, figures/,
/// paraview/. Collective; members, and points of local methods, over ranks.
/// @param with     as of solve()
/// @param correct  a surrogate of increments that corrects it (operators::CorrectedSolver), or ""
/// @throws Stopped  if a signal said so: its checkpoint is written
void assimilate(const Communicator& ranks, const Case& c, const RunFolder& folder, const std::string& with,
                const std::string& correct);

/// What `locum bench` was asked.
struct BenchRequest {
  std::string name;          ///< "fno": neuraloperator's default operator; or an equation: steps of its solver.
  std::string only = "all";  ///< 1d, 2d, 3d or all.
  std::int64_t repeats = 20;
  std::int64_t batch = 0;  ///< 0: the case's.
  bool float64 = false;
  bool reference = false;  ///< libtorch's operations instead of our kernels.
  bool json = false;
};

/// Times inference and a training step on this machine; one line, or JSON object, a measurement.
void bench(const BenchRequest& request);

/// What `locum import-weights` was asked.
struct ImportRequest {
  std::string from;  ///< FILE.h5:/group, or FILE.safetensors.
  std::filesystem::path output;
  bool without_grid = false;  ///< The model does not read positions.
  bool float64 = false;
};

/// Makes a checkpoint from an FNO of neuraloperator: operators::from_neuraloperator().
void import_weights(const ImportRequest& request);

/// Writes the weights of a checkpoint as safetensors, under our names; the model's options are in the metadata.
void export_weights(const std::filesystem::path& model, const std::filesystem::path& output);

/// What `locum apply` was asked.
struct ApplyRequest {
  std::filesystem::path model;
  std::string input;  ///< FILE.h5:/dataset of [sample, channel, (z, y,) x]
  std::filesystem::path output;
};

/// Applies a checkpoint to a plain array: OUTPUT.h5:/output, [sample, channel, (z, y,) x].
void apply(const ApplyRequest& request);

/// What `locum info` was asked.
struct InfoRequest {
  std::filesystem::path file;
  bool full = false;                 ///< Ranges of all values, not of some samples.
  std::filesystem::path write_case;  ///< Where to write a case that trains on the file; empty: nowhere.
};

/// Prints what is in a dataset or a checkpoint.
void info(const InfoRequest& request);

/// Prints equations, models, solvers and the cases below the working directory.
void list();

}  // namespace locum::cli
