#include "lorenz.hpp"

#include <locum/core/error.hpp>
#include <locum/core/processors.hpp>
#include <locum/core/random.hpp>

#include "../requirements.hpp"

namespace locum::physics {

namespace {

Grid row_of(std::int64_t variables, bool circle)
{
  return {{{.name = "variable", .points = variables, .origin = 0, .spacing = 1, .periodic = circle, .unit = "1"}}};
}

Grid three_variables(const std::string& equation, const std::vector<std::int64_t>& cells)
{
  if (cells != std::vector<std::int64_t>{3})
    throw OptionError({.doing = "making a grid for equation " + equation,
                       .where = "cells",
                       .found = to_string(cells),
                       .expected = "the number of variables, 3",
                       .advice = "cells = [3]"});
  return row_of(3, false);
}

/// States near `centre`, standard deviation 1.
Sample states_near(double centre, const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count)
{
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i)
    states.push_back(centre + RandomStream(seed, "initial state", static_cast<std::uint64_t>(i)).normal(grid.shape()));
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  sample.fields["state"] = {.values = torch::stack(states).unsqueeze(1), .unit = "1"};
  return sample;
}

/// (x_{i+1} − x_{i−2}) x_{i−1} round a circle along the last axis.
Tensor advection(const Tensor& x) { return (x.roll(-1, -1) - x.roll(2, -1)) * x.roll(1, -1); }

constexpr std::int64_t lanes = OrdinaryEquation::lanes;

LOCUM_FOR_PROCESSORS void rate63(const Lorenz63Options& o, const double* v, double* __restrict rate)
{
  const double *const x = v, *const y = v + lanes, *const z = v + 2 * lanes;
  for (std::int64_t i = 0; i < lanes; ++i) {
    rate[i] = o.sigma * (y[i] - x[i]);
    rate[lanes + i] = x[i] * (o.rho - z[i]) - y[i];
    rate[2 * lanes + i] = x[i] * y[i] - o.beta * z[i];
  }
}

LOCUM_FOR_PROCESSORS void rate84(const Lorenz84Options& o, const double* v, double* __restrict rate)
{
  const double *const x = v, *const y = v + lanes, *const z = v + 2 * lanes;
  for (std::int64_t i = 0; i < lanes; ++i) {
    rate[i] = o.a * (o.f - x[i]) - y[i] * y[i] - z[i] * z[i];
    rate[lanes + i] = x[i] * y[i] - o.b * x[i] * z[i] - y[i] + o.g;
    rate[2 * lanes + i] = o.b * x[i] * y[i] + x[i] * z[i] - z[i];
  }
}

/// scale (x_{k+1} − x_{k−2}) x_{k−1} − damping x_k + forcing round a circle of n; direction −1 turns it round.
[[gnu::always_inline]] inline void circle_rate(const double* x, std::int64_t n, std::int64_t direction, double scale,
                                               double damping, double forcing, double* __restrict rate)
{
  for (std::int64_t k = 0; k < n; ++k) {
    const auto at = [&](std::int64_t offset) {
      std::int64_t there = k + direction * offset;
      there += there < 0 ? n : there >= n ? -n : 0;
      return x + there * lanes;
    };
    const double *const here = x + k * lanes, *const next = at(1), *const before = at(-1), *const two_before = at(-2);
#pragma GCC ivdep
    for (std::int64_t i = 0; i < lanes; ++i)
      rate[k * lanes + i] = scale * (next[i] - two_before[i]) * before[i] - damping * here[i] + forcing;
  }
}

LOCUM_FOR_PROCESSORS void rate96(double forcing, const double* x, std::int64_t n, double* __restrict rate)
{
  circle_rate(x, n, 1, 1, 1, forcing, rate);
}

LOCUM_FOR_PROCESSORS void rate96_two_scale(const TwoScaleLorenz96Options& o, const double* x, std::int64_t slow,
                                           double* __restrict rate)
{
  const double exchange = o.coupling * o.c / o.b;
  const double* const y = x + slow * lanes;
  double* const rate_y = rate + slow * lanes;
  circle_rate(x, slow, 1, 1, 1, o.forcing, rate);
  circle_rate(y, slow * o.fast, -1, o.c * o.b, o.c, 0, rate_y);
  for (std::int64_t j = 0; j < slow * o.fast; ++j) {
    const std::int64_t k = j / o.fast;
    for (std::int64_t i = 0; i < lanes; ++i) {
      rate[k * lanes + i] -= exchange * y[j * lanes + i];
      rate_y[j * lanes + i] += exchange * x[k * lanes + i];
    }
  }
}

}  // namespace

Grid Lorenz63::grid(const std::vector<std::int64_t>& cells) const { return three_variables(name(), cells); }

Sample Lorenz63::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  return states_near(1, grid, seed, first, count);
}

Tensor Lorenz63::tendency(const Tensor& state, const Grid&) const
{
  const auto v = state.unbind(-1);
  const auto& [sigma, rho, beta] = options_;
  return torch::stack({sigma * (v[1] - v[0]), v[0] * (rho - v[2]) - v[1], v[0] * v[1] - beta * v[2]}, -1);
}

void Lorenz63::tendency(const double* state, std::int64_t, double* rate) const { rate63(options_, state, rate); }

Grid Lorenz84::grid(const std::vector<std::int64_t>& cells) const { return three_variables(name(), cells); }

Sample Lorenz84::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  return states_near(1, grid, seed, first, count);
}

Tensor Lorenz84::tendency(const Tensor& state, const Grid&) const
{
  const auto v = state.unbind(-1);
  const auto& [a, b, f, g] = options_;
  return torch::stack({a * (f - v[0]) - v[1] * v[1] - v[2] * v[2], v[0] * v[1] - b * v[0] * v[2] - v[1] + g,
                       b * v[0] * v[1] + v[0] * v[2] - v[2]},
                      -1);
}

void Lorenz84::tendency(const double* state, std::int64_t, double* rate) const { rate84(options_, state, rate); }

Grid Lorenz96::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 1);
  return row_of(cells[0], true);
}

Sample Lorenz96::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  return states_near(options_.forcing, grid, seed, first, count);
}

Tensor Lorenz96::tendency(const Tensor& state, const Grid&) const
{
  return advection(state) - state + options_.forcing;
}

void Lorenz96::tendency(const double* state, std::int64_t variables, double* rate) const
{
  rate96(options_.forcing, state, variables, rate);
}

TwoScaleLorenz96::TwoScaleLorenz96(TwoScaleLorenz96Options options) : options_(options)
{
  require_positive(name(), {{"b", options.b}, {"c", options.c}, {"fast", static_cast<double>(options.fast)}});
}

Grid TwoScaleLorenz96::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 1);
  return row_of(cells[0] * (1 + options_.fast), false);
}

Sample TwoScaleLorenz96::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  Sample states = states_near(0, grid, seed, first, count);
  const std::int64_t slow = grid.axes[0].points / (1 + options_.fast);
  states.fields["state"].values.narrow(-1, slow, grid.axes[0].points - slow) *= 0.1;
  return states;
}

Tensor TwoScaleLorenz96::tendency(const Tensor& state, const Grid&) const
{
  const auto& [forcing, coupling, b, c, fast] = options_;
  const std::int64_t slow = state.size(-1) / (1 + fast);
  const Tensor x = state.narrow(-1, 0, slow), y = state.narrow(-1, slow, slow * fast);
  const Tensor sums = y.unflatten(-1, {slow, fast}).sum(-1);
  // Round the other way: y_{j+1} (y_{j−1} − y_{j+2}).
  const Tensor y_advection = (y.roll(1, -1) - y.roll(-2, -1)) * y.roll(-1, -1);
  return torch::cat({advection(x) - x + forcing - (coupling * c / b) * sums,
                     c * b * y_advection - c * y + (coupling * c / b) * x.repeat_interleave(fast, -1)},
                    -1);
}

void TwoScaleLorenz96::tendency(const double* state, std::int64_t variables, double* rate) const
{
  rate96_two_scale(options_, state, variables / (1 + options_.fast), rate);
}

}  // namespace locum::physics
