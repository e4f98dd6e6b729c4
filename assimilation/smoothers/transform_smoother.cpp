#include "transform_smoother.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cmath>

namespace locum::assimilation {

static void require_lag(std::int64_t lag)
{
  if (lag < 1)
    throw OptionError({.doing = "setting up the smoother",
                       .where = "assimilation.lag",
                       .found = fmt::format("{}", lag),
                       .expected = "at least 1",
                       .advice = "lag = 1"});
}

// ── EnKS ──

TransformSmoother::TransformSmoother(std::int64_t members, InflationOptions inflation, std::int64_t lag)
    : members_(members), lag_(lag), inflation_(inflation)
{
  require_lag(lag);
}

std::string TransformSmoother::description() const { return fmt::format("EnKS, {} members, lag {}", members_, lag_); }

Analysis TransformSmoother::cycle(const Matrix& members, double time, std::span<const Observations> observations,
                                  const Forecast& forecast, std::int64_t number)
{
  const Observations& seen = observations.front();
  past_.push_back(members);
  if (static_cast<std::int64_t>(past_.size()) > lag_) past_.pop_front();

  Analysis result;
  result.forecast = forecast.advance(members, time, seen.time - time, number);
  const auto [s, d] = seen.compare(result.forecast);
  transform_.compute(s, d, static_cast<double>(members_ - 1));
  const auto transformed = [&](const Matrix& before) -> Matrix {
    const RowVector mean = mean_of(before);
    return (transform_.weights() * (before.rowwise() - mean)).rowwise() + mean;
  };
  result.members = transformed(result.forecast);
  for (Matrix& before : past_) before = transformed(before);
  result.smoothed = past_.front();
  result.smoothed_before = static_cast<std::int64_t>(past_.size());
  inflate(result.members, result.forecast, inflation_, forecast.seed(), number);
  return result;
}

void TransformSmoother::save(io::Checkpoint& checkpoint) const
{
  checkpoint.put("method/past", static_cast<std::int64_t>(past_.size()));
  for (std::size_t i = 0; i < past_.size(); ++i)
    checkpoint.put(fmt::format("method/members_{}", i), as_tensor(past_[i]));
}

void TransformSmoother::load(const io::Checkpoint& checkpoint)
{
  past_.clear();
  for (std::int64_t i = 0; i < checkpoint.integer("method/past"); ++i)
    past_.push_back(as_matrix(checkpoint.tensor(fmt::format("method/members_{}", i))));
}

// ── iEnKS ──

IterativeSmoother::IterativeSmoother(std::int64_t members, InflationOptions inflation, std::int64_t lag,
                                     std::int64_t iterations)
    : members_(members), lag_(lag), iterations_(iterations), inflation_(inflation)
{
  require_lag(lag);
}

std::string IterativeSmoother::description() const
{
  return fmt::format("iEnKS, {} members, lag {}, at most {} iterations", members_, lag_, iterations_);
}

Analysis IterativeSmoother::cycle(const Matrix& members, double time, std::span<const Observations> observations,
                                  const Forecast& forecast, std::int64_t number)
{
  const Observations& seen = observations.front();
  if (times_.empty()) {
    start_ = members;
    times_ = {time};
  }
  times_.push_back(seen.time);

  const auto n = static_cast<double>(members_);
  const RowVector mean = mean_of(start_);
  const Matrix anomalies = anomalies_of(start_);
  const auto run = [&](Matrix states, std::size_t segments) {
    for (std::size_t i = 0; i < segments; ++i)
      states = forecast.advance(states, times_[i], times_[i + 1] - times_[i], number);
    return states;
  };
  const std::size_t segments = times_.size() - 1;

  Analysis result;
  Vector w = Vector::Zero(members_);
  Matrix root = Matrix::Identity(members_, members_), inverse_root = root;
  Matrix sought = start_;
  for (std::int64_t i = 0; i < iterations_; ++i) {
    const Matrix end = run(sought, segments);
    if (i == 0) result.forecast = end;
    auto [s, d] = seen.compare(end);
    s = inverse_root * s;  // what unit anomalies would have become
    // Gauss–Newton on ½ (n − 1) |w|² + ½ |d(w)|²: linear around w, the innovation at w = 0 would be d + w S.
    const RowVector at_start = d + w.transpose() * s;
    transform_.compute(s, at_start, n - 1);
    const Vector next = transform_.mean_weights();
    const double change = (next - w).squaredNorm();
    w = next;
    root = transform_.root();
    inverse_root = transform_.inverse_root();
    sought = (root * anomalies).rowwise() + (mean + w.transpose() * anomalies);
    if (change < 1e-8 * n) break;
  }
  result.smoothed = sought;
  result.smoothed_before = static_cast<std::int64_t>(segments);
  inflate(sought, start_, inflation_, forecast.seed(), number);

  // The window moves on by one.
  const bool full = static_cast<std::int64_t>(segments) >= lag_;
  Matrix states = run(sought, 1);
  start_ = full ? states : sought;
  for (std::size_t i = 1; i < segments; ++i)
    states = forecast.advance(states, times_[i], times_[i + 1] - times_[i], number);
  result.members = std::move(states);
  if (full) times_.erase(times_.begin());
  return result;
}

void IterativeSmoother::save(io::Checkpoint& checkpoint) const
{
  if (times_.empty()) return;
  checkpoint.put("method/start", as_tensor(start_));
  checkpoint.put("method/times", torch::tensor(times_, torch::kFloat64));
}

void IterativeSmoother::load(const io::Checkpoint& checkpoint)
{
  if (!checkpoint.has("method/times")) return;
  start_ = as_matrix(checkpoint.tensor("method/start"));
  const Tensor times = checkpoint.tensor("method/times").contiguous();
  times_.assign(times.data_ptr<double>(), times.data_ptr<double>() + times.numel());
}

}  // namespace locum::assimilation
