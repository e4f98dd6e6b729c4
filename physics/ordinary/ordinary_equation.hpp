#pragma once
#include "../equation.hpp"

namespace locum::physics {

/// An ordinary differential equation: its state is a row of numbers, on a grid whose only axis counts them.
class OrdinaryEquation : public EvolvingEquation {
 public:
  /// States side by side that loops work on at once.
  static constexpr std::int64_t lanes = 8;
  /// out = base + by · tendency of `lanes` states: what methods of Runge and Kutta consist of.
  /// @param base, state, out  [variable, lane]; out is neither of the others
  virtual void move(const double* base, double by, const double* state, std::int64_t variables, double* out) const = 0;
};

}  // namespace locum::physics
