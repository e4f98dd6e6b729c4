#pragma once
#include <locum/core/options.hpp>
#include <locum/io/checkpoints/checkpoint.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "forecast.hpp"
#include "observations.hpp"

namespace locum::assimilation {

/// What came of a cycle.
struct Analysis {
  Matrix forecast;  ///< Members at the time of the last observations, before these are known. [member, variable]
  Matrix members;   ///< The same with all observations known.
  Vector forecast_weights;  ///< Of the members of either, summing to 1; empty: all alike. [member]
  Vector weights;
  Matrix smoothed;  ///< Members some observation times before with these known too, of smoothers; else empty.
  std::int64_t smoothed_before = 0;  ///< So many.
};

/// A way to condition what a model says on what was observed. It goes from observations to observations; whatever it
/// must remember beside the members it saves, so that a restarted run goes on to the bit.
class Method {
 public:
  virtual ~Method() = default;

  virtual std::string description() const = 0;
  /// Members it works with: what the ensemble it is given must have.
  virtual std::int64_t members() const = 0;
  /// Times of observations that one cycle takes.
  virtual std::int64_t window() const { return 1; }

  /// One cycle. Collective over the forecast's ranks, all of which get the same.
  /// @param members       at `time`, [member, variable]
  /// @param observations  window() times, each later than the one before and than `time`
  /// @param number        of the cycle: random numbers depend on it, and on nothing that was drawn before
  virtual Analysis cycle(const Matrix& members, double time, std::span<const Observations> observations,
                         const Forecast& forecast, std::int64_t number) = 0;

  virtual void save(io::Checkpoint&) const {}
  virtual void load(const io::Checkpoint&) {}
};

}  // namespace locum::assimilation
