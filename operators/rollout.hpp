#pragma once
#include <vector>

#include "surrogate.hpp"

namespace locum::operators {

/// A surrogate of one step, applied again and again to what it predicted.
///
/// Its inputs are fields now and perhaps before ("u", "u@-1"), its outputs the same fields after now ("u@+1"): see
/// io::name_at(). Fields without outputs (topography) and scalars stay as they are.
class Rollout {
 public:
  /// @param surrogate  must outlive this object
  /// @throws OptionError  if it is not such a surrogate
  explicit Rollout(Surrogate& surrogate);

  /// Steps before now that the inputs need.
  std::int64_t history() const noexcept { return history_; }
  /// Fields that are predicted, without steps.
  const std::vector<std::string>& fields() const noexcept { return fields_; }

  /// The next states, `steps` of them, fields under plain names.
  /// @param past  the last states up to now, at least history() + 1 of them
  /// @throws as Surrogate::solve()
  std::vector<Sample> run(const std::vector<Sample>& past, std::int64_t steps) const;

 private:
  Surrogate& surrogate_;
  std::vector<std::string> fields_;
  std::int64_t history_ = 0, horizon_ = 0;
};

/// A surrogate that needs no history as a solver: whoever holds it does not know that it was learnt.
class EvolvingSurrogate : public EvolvingSolver {
 public:
  /// @throws OptionError  if the surrogate needs more than the state now, or does not know its interval of time
  explicit EvolvingSurrogate(Surrogate surrogate);
  EvolvingSurrogate(const EvolvingSurrogate&) = delete;
  EvolvingSurrogate& operator=(const EvolvingSurrogate&) = delete;

  std::string description() const override { return surrogate_.description(); }
  /// @param duration  a multiple of the surrogate's interval
  Sample advance(const Sample& state, double duration) override;

 private:
  Surrogate surrogate_;
  Rollout rollout_;
};

}  // namespace locum::operators
