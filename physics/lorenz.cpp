#include "lorenz.hpp"

#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include "requirements.hpp"

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

void Lorenz63::tendency(const double* v, std::int64_t, double* rate) const
{
  rate[0] = options_.sigma * (v[1] - v[0]);
  rate[1] = v[0] * (options_.rho - v[2]) - v[1];
  rate[2] = v[0] * v[1] - options_.beta * v[2];
}

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

void Lorenz84::tendency(const double* v, std::int64_t, double* rate) const
{
  const auto& [a, b, f, g] = options_;
  rate[0] = a * (f - v[0]) - v[1] * v[1] - v[2] * v[2];
  rate[1] = v[0] * v[1] - b * v[0] * v[2] - v[1] + g;
  rate[2] = b * v[0] * v[1] + v[0] * v[2] - v[2];
}

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

void Lorenz96::tendency(const double* x, std::int64_t n, double* rate) const
{
  const double forcing = options_.forcing;
  rate[0] = (x[1] - x[n - 2]) * x[n - 1] - x[0] + forcing;
  rate[1] = (x[2] - x[n - 1]) * x[0] - x[1] + forcing;
  for (std::int64_t i = 2; i < n - 1; ++i) rate[i] = (x[i + 1] - x[i - 2]) * x[i - 1] - x[i] + forcing;
  rate[n - 1] = (x[0] - x[n - 3]) * x[n - 2] - x[n - 1] + forcing;
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
  const auto& [forcing, coupling, b, c, fast] = options_;
  const std::int64_t slow = variables / (1 + fast), all = slow * fast;
  const double *const x = state, *const y = state + slow;
  double* const rate_y = rate + slow;
  const double exchange = coupling * c / b;
  for (std::int64_t k = 0; k < slow; ++k) {
    double sum = 0;
    for (std::int64_t j = k * fast; j < (k + 1) * fast; ++j) sum += y[j];
    rate[k] =
        (x[(k + 1) % slow] - x[(k + slow - 2) % slow]) * x[(k + slow - 1) % slow] - x[k] + forcing - exchange * sum;
  }
  const auto y_rate = [&](std::int64_t j, std::int64_t before, std::int64_t next, std::int64_t after_next) {
    return c * b * (y[before] - y[after_next]) * y[next] - c * y[j];
  };
  rate_y[0] = y_rate(0, all - 1, 1, 2);
  for (std::int64_t j = 1; j < all - 2; ++j) rate_y[j] = y_rate(j, j - 1, j + 1, j + 2);
  rate_y[all - 2] = y_rate(all - 2, all - 3, all - 1, 0);
  rate_y[all - 1] = y_rate(all - 1, all - 2, 0, 1);
  for (std::int64_t k = 0; k < slow; ++k)
    for (std::int64_t j = k * fast; j < (k + 1) * fast; ++j) rate_y[j] += exchange * x[k];
}

}  // namespace locum::physics
