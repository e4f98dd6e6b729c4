#pragma once
#include "equation.hpp"

namespace locum::physics {

/// An ordinary differential equation: its state is a row of numbers, on a grid whose only axis counts them.
class OrdinaryEquation : public EvolvingEquation {
 public:
  /// Time derivative of one state: the same as tendency(), for loops over time.
  /// @param state, rate  [variable], distinct
  virtual void tendency(const double* state, std::int64_t variables, double* rate) const = 0;
  using EvolvingEquation::tendency;
};

}  // namespace locum::physics
