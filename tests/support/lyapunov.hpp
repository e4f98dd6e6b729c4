#pragma once
#include <locum/core/solver.hpp>

#include <cmath>
#include <string>

namespace locum::tests {

/// Largest Lyapunov exponent: growth of a small difference, made small again every `interval` (Benettin et al. 1980).
/// @param pair   two states, of which the first is followed
/// @param times  intervals that are counted, after a tenth as many that are not
inline double lyapunov_exponent(EvolvingSolver& solver, Sample pair, const std::string& field, double interval,
                                int times)
{
  constexpr double size = 1e-7;
  double growth = 0;
  Tensor difference = torch::ones_like(pair.field(field).values[0]);
  for (int i = -times / 10; i < times; ++i) {
    const Tensor truth = pair.field(field).values[0];
    pair.fields[field].values = torch::stack({truth, truth + difference * (size / difference.norm())});
    pair = solver.advance(pair, interval);
    difference = pair.field(field).values[1] - pair.field(field).values[0];
    if (i >= 0) growth += std::log(difference.norm().item<double>() / size);
  }
  return growth / (times * interval);
}

}  // namespace locum::tests
