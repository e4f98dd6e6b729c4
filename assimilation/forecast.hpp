#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/log.hpp>
#include <locum/core/solver.hpp>

#include "ensemble.hpp"

namespace locum::assimilation {

/// What to do when a member stops being finite.
enum class BlowUp {
  stop,    ///< The run ends with an error that names the member.
  replace  ///< It becomes another member, taken at random, and the log says so.
};
constexpr auto option_names(BlowUp)
{
  return std::array{std::pair{BlowUp::stop, "stop"}, std::pair{BlowUp::replace, "replace"}};
}

struct ForecastOptions {
  double model_error = 0;
  BlowUp blow_up = BlowUp::stop;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("model_error", model_error,
           "Q: deviation of the noise added to every variable of a forecast, per square root of the unit of time");
    option("blow_up", blow_up, "a member that stops being finite: stop, or replace it by another");
  }
};

/// The model as filters see it: any EvolvingSolver, applied to the members of an ensemble, which ranks share.
class Forecast {
 public:
  /// @param model  must outlive this object; every rank has its own, which no other rank has a part in
  /// @param ranks  share the members, and all have all of them afterwards
  Forecast(EvolvingSolver& model, StateLayout layout, ForecastOptions options, std::uint64_t seed,
           const Communicator& ranks = {}, Log log = silent_log());

  /// Members `duration` after `time`. Collective. @param cycle  number, for random streams
  /// @throws SolverError  if a member stops being finite and options say stop, or no member is left
  Matrix advance(const Matrix& members, double time, double duration, std::int64_t cycle) const;

  EvolvingSolver& model() const noexcept { return model_; }
  const StateLayout& layout() const noexcept { return layout_; }
  const Communicator& ranks() const noexcept { return ranks_; }
  const Log& log() const noexcept { return log_; }
  std::uint64_t seed() const noexcept { return seed_; }

 private:
  /// Some members, those that stop being finite as NaN.
  Matrix advance_those(const Eigen::Ref<const Matrix>& members, double time, double duration) const;
  void replace_lost(Matrix& members, std::int64_t cycle) const;

  EvolvingSolver& model_;
  StateLayout layout_;
  ForecastOptions options_;
  std::uint64_t seed_;
  Communicator ranks_;
  Log log_;
};

/// Gives every rank all rows of a matrix of which it computed rows first_row(rank) … first_row(rank + 1) − 1.
/// Collective.
void share_rows(const Communicator& ranks, Matrix& rows);
std::int64_t first_row(std::int64_t rows, int rank, int ranks);

/// Independent standard normal numbers. [row, column]
Matrix normal(std::uint64_t seed, const char* purpose, std::int64_t index, std::int64_t rows, std::int64_t columns);

}  // namespace locum::assimilation
