#pragma once
#include <memory>

#include "surrogate.hpp"

namespace locum::operators {

/// A model and what it was found to be off by: after every interval the increment that a surrogate predicts from the
/// state at its start is added. Learnt from analysis increments it makes of a wrong model a less wrong one.
///
/// Source: Farchi, Laloyaux, Bonavita & Bocquet, Q. J. R. Meteorol. Soc. 147 (2021): resolvent correction.
class CorrectedSolver : public EvolvingSolver {
 public:
  /// @param correction  from fields of the state to "FIELD_increment", as `locum assimilate` writes them
  /// @param interval    between the states that its increments are of
  /// @throws OptionError  if the correction is of something else
  CorrectedSolver(std::unique_ptr<EvolvingSolver> model, Surrogate correction, double interval);

  std::string description() const override;
  /// @param duration  a multiple of the interval
  Sample advance(const Sample& state, double duration) override;

 private:
  std::unique_ptr<EvolvingSolver> model_;
  Surrogate correction_;
  double interval_;
};

}  // namespace locum::operators
