#pragma once
#include "../equation.hpp"

namespace locum::physics {

/// An ordinary differential equation: its state is a row of numbers, on a grid whose only axis counts them.
class OrdinaryEquation : public EvolvingEquation {
 public:
  /// States side by side that loops work on at once.
  static constexpr std::int64_t lanes = 8;
  /// Time derivatives of `lanes` states: the same as tendency(), for loops over time.
  /// @param state, rate  [variable, lane], distinct
  virtual void tendency(const double* state, std::int64_t variables, double* rate) const = 0;
  using EvolvingEquation::tendency;
};

}  // namespace locum::physics
