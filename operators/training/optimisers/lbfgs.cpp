#include "lbfgs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace locum::operators {

static constexpr std::int64_t memory = 10;  // pairs

static std::string step_name(std::int64_t k) { return fmt::format("step_{}", k); }
static std::string change_name(std::int64_t k) { return fmt::format("change_{}", k); }
static double product(const Tensor& a, const Tensor& b) { return a.dot(b).item<double>(); }

Lbfgs::Lbfgs(Parameters& parameters) : Optimiser(parameters)
{
  for (std::int64_t k = 0; k < memory; ++k)
    for (const auto& name : {step_name(k), change_name(k)}) state[name] = torch::zeros_like(parameters.values);
}

Tensor Lbfgs::direction(const Tensor& gradients) const
{
  Tensor q = -gradients;
  std::vector<double> alpha(memory, 0);
  double scale = 1;
  for (std::int64_t k = memory; k-- > 0;) {
    const Tensor &s = state.at(step_name(k)), &y = state.at(change_name(k));
    const double sy = product(s, y);
    if (sy == 0) continue;
    if (scale == 1) scale = sy / product(y, y);
    alpha[static_cast<std::size_t>(k)] = product(s, q) / sy;
    q.sub_(y, alpha[static_cast<std::size_t>(k)]);
  }
  q.mul_(scale);
  for (std::int64_t k = 0; k < memory; ++k) {
    const Tensor &s = state.at(step_name(k)), &y = state.at(change_name(k));
    const double sy = product(s, y);
    if (sy != 0) q.add_(s, alpha[static_cast<std::size_t>(k)] - product(y, q) / sy);
  }
  return q;
}

void Lbfgs::remember(const Tensor& step, const Tensor& change)
{
  if (product(step, change) <= 1e-10 * product(change, change)) return;  // no curvature to learn from
  for (const auto& [name, latest] : {std::pair{&step_name, step}, std::pair{&change_name, change}}) {
    for (std::int64_t k = 0; k + 1 < memory; ++k) state[name(k)].copy_(state[name(k + 1)]);
    state[name(memory - 1)].copy_(latest);
  }
}

void Lbfgs::forget()
{
  for (auto& [name, vector] : state) vector.zero_();
}

void Lbfgs::step(double rate, const Evaluate& evaluate)
{
  torch::NoGradGuard no_gradients;
  const Tensor start = parameters_.values.clone();
  Tensor &values = parameters_.values, &gradients = parameters_.gradients;
  const auto at = [&](const Tensor& direction, double length) {
    values.copy_(start).add_(direction, length);
    torch::AutoGradMode with_gradients(true);
    const double loss = evaluate().item<double>();
    return std::isfinite(loss) ? loss : std::numeric_limits<double>::infinity();
  };
  const double start_loss = at(start, 0);
  const Tensor start_gradients = gradients.clone();
  const Tensor way = direction(start_gradients);
  const double start_slope = product(way, start_gradients);
  double length = rate;
  if (steps == 0) length = std::min(rate, 1 / std::max(way.norm().item<double>(), 1e-30));
  ++steps;

  // Brackets a point that fulfils the conditions, then narrows the bracket by cubic interpolation.
  constexpr double enough = 1e-4, flat = 0.9;
  struct Point {
    double length, loss, slope;
  };
  Point low{0, start_loss, start_slope}, high{std::numeric_limits<double>::infinity(), 0, 0};
  constexpr int most_tries = 25;
  bool found = false;
  for (int tries = 0; tries < most_tries && !found; ++tries) {
    const Point here{length, at(way, length), product(way, gradients)};
    if (here.loss > start_loss + enough * length * start_slope || here.loss > low.loss) high = here;
    else if (std::abs(here.slope) <= -flat * start_slope) found = true;
    else {
      if (here.slope * (std::isfinite(high.length) ? high.length - low.length : 1) >= 0) high = low;
      low = here;
    }
    if (found) break;
    if (!std::isfinite(high.length)) {
      length *= 2;
      continue;
    }
    // The least value of the cubic through both ends (Nocedal & Wright, eq. 3.59), well inside the bracket.
    const double width = high.length - low.length;
    double part = 0.5;
    if (std::isfinite(high.loss)) {
      const double d1 = low.slope + high.slope - 3 * (low.loss - high.loss) / (low.length - high.length);
      const double root = d1 * d1 - low.slope * high.slope;
      if (root >= 0) {
        const double d2 = std::copysign(std::sqrt(root), width);
        part = 1 - (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2);
      }
    }
    length = low.length + width * (std::isfinite(part) ? std::clamp(part, 0.1, 0.9) : 0.5);
  }
  if (!found && low.length == 0) {
    at(way, 0);
    forget();
    return;
  }
  if (!found) {
    length = low.length;
    at(way, length);
  }
  remember(way * length, gradients - start_gradients);
}

}  // namespace locum::operators
