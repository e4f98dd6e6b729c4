#pragma once
#include <locum/core/sample.hpp>

#include <filesystem>
#include <vector>

#include "paraview.hpp"

namespace locum::io {

/// What the members of an ensemble have in common, as one member: of field u, u_mean, u_std (of the population the
/// members are drawn from, as n − 1 divides; 0 for one member), and a quantile u_q05 for 0.05, interpolated between
/// members. Components and points are on their own. Scalars become their means.
/// @param quantiles  from 0 to 1
/// @throws ShapeError  if there is no member or a quantile is out of range.
Sample summarise(const Sample& members, const std::vector<double>& quantiles = {0.05, 0.5, 0.95});

/// An evolving ensemble for ParaView: NAME.pvd has what summarise() makes of it, NAME_member_0000.pvd … the members.
class ParaviewEnsemble {
 public:
  /// @param pvd      path of the collection file, ending in .pvd; its folder must exist
  /// @param members  how many of the members are written, the first ones
  ParaviewEnsemble(std::filesystem::path pvd, std::int64_t members, std::vector<double> quantiles = {0.05, 0.5, 0.95});

  /// Adds the ensemble at a time to all files; each is complete after each call.
  /// @throws  as write_paraview() and summarise() do.
  void add(double time, const Sample& ensemble);

 private:
  std::vector<double> quantiles_;
  ParaviewSeries summary_;
  std::vector<ParaviewSeries> members_;
};

}  // namespace locum::io
