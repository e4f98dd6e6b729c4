#pragma once
#include <locum/core/sample.hpp>

#include <vector>

namespace locum::io {

/// What the members of an ensemble have in common, as one member: of field u, u_mean, u_std (of the population the
/// members are drawn from, as n − 1 divides; 0 for one member), and a quantile u_q05 for 0.05, interpolated between
/// members. Components and points are on their own. Scalars become their means.
/// @param quantiles  from 0 to 1
/// @throws ShapeError  if there is no member or a quantile is out of range.
Sample summarise(const Sample& members, const std::vector<double>& quantiles = {0.05, 0.5, 0.95});

}  // namespace locum::io
