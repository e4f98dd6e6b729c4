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

LOCUM_FOR_PROCESSORS void move63(const Lorenz63Options& o, const double* base, double by, const double* v,
                                 double* __restrict out)
{
  const double *const x = v, *const y = v + lanes, *const z = v + 2 * lanes;
  for (std::int64_t i = 0; i < lanes; ++i) {
    out[i] = base[i] + by * (o.sigma * (y[i] - x[i]));
    out[lanes + i] = base[lanes + i] + by * (x[i] * (o.rho - z[i]) - y[i]);
    out[2 * lanes + i] = base[2 * lanes + i] + by * (x[i] * y[i] - o.beta * z[i]);
  }
}

LOCUM_FOR_PROCESSORS void move84(const Lorenz84Options& o, const double* base, double by, const double* v,
                                 double* __restrict out)
{
  const double *const x = v, *const y = v + lanes, *const z = v + 2 * lanes;
  for (std::int64_t i = 0; i < lanes; ++i) {
    out[i] = base[i] + by * (o.a * (o.f - x[i]) - y[i] * y[i] - z[i] * z[i]);
    out[lanes + i] = base[lanes + i] + by * (x[i] * y[i] - o.b * x[i] * z[i] - y[i] + o.g);
    out[2 * lanes + i] = base[2 * lanes + i] + by * (o.b * x[i] * y[i] + x[i] * z[i] - z[i]);
  }
}

/// One variable of half the lanes: what fits a register of most processors.
constexpr std::int64_t half = lanes / 2;
typedef double Half __attribute__((vector_size(half * sizeof(double)), aligned(sizeof(double)), may_alias));

[[gnu::always_inline]] inline const Half& at(const double* first, std::int64_t variable)
{
  return *reinterpret_cast<const Half*>(first + variable * lanes);
}

/// out_k = base_k + by (scale (x_{k+1} − x_{k−2}) x_{k−1} − damping x_k + forcing(k)) round a circle of n for half the
/// lanes; direction −1 turns it round. Neighbours stay in registers on the way.
template <int direction, class Forcing>
[[gnu::always_inline]] inline void move_circle(const double* base, double by, const double* x, std::int64_t n,
                                               double scale, double damping, const Forcing& forcing, double* out)
{
  const auto place = [n](std::int64_t step) { return direction > 0 ? step : n - 1 - step; };  // of a step on the way
  Half two_before = at(x, place(n - 2)), before = at(x, place(n - 1)), here = at(x, place(0));
  const auto move = [&](std::int64_t k, const Half& next) __attribute__((always_inline))
  {
    Half force;
    forcing(k, force);
    const Half rate = scale * (next - two_before) * before + (force - damping * here);
    *reinterpret_cast<Half*>(out + k * lanes) = at(base, k) + by * rate;
    two_before = before;
    before = here;
    here = next;
  };
  for (std::int64_t step = 0; step + 1 < n; ++step) move(place(step), at(x, place(step + 1)));
  move(place(n - 1), at(x, place(0)));
}

LOCUM_FOR_PROCESSORS void move96(double forcing, const double* base, double by, const double* x, std::int64_t n,
                                 double* out)
{
  for (std::int64_t i = 0; i < lanes; i += half)
    move_circle<1>(
        base + i, by, x + i, n, 1,
        1, [forcing](std::int64_t, Half & force) __attribute__((always_inline)) { force = forcing - Half{}; }, out + i);
}

LOCUM_FOR_PROCESSORS void move96_two_scale(const TwoScaleLorenz96Options& o, const double* base, double by,
                                           const double* state, std::int64_t slow, double* out)
{
  const double exchange = o.coupling * o.c / o.b;
  const std::int64_t fast = o.fast, slow_numbers = slow * lanes;
  for (std::int64_t i = 0; i < lanes; i += half) {
    const double *const x = state + i, *const y = x + slow_numbers;
    move_circle<1>(
        base + i, by, x, slow, 1, 1,
        [&](std::int64_t k, Half & force) __attribute__((always_inline)) {
          Half sum = {};
          for (std::int64_t j = k * fast; j < (k + 1) * fast; ++j) sum += at(y, j);
          force = o.forcing - exchange * sum;
        },
        out + i);
    move_circle<-1>(
        base + i + slow_numbers, by, y, slow * fast, o.c * o.b,
        o.c, [&](std::int64_t j, Half & force) __attribute__((always_inline)) { force = exchange * at(x, j / fast); },
        out + i + slow_numbers);
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

void Lorenz63::move(const double* base, double by, const double* state, std::int64_t, double* out) const
{
  move63(options_, base, by, state, out);
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

void Lorenz84::move(const double* base, double by, const double* state, std::int64_t, double* out) const
{
  move84(options_, base, by, state, out);
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

void Lorenz96::move(const double* base, double by, const double* state, std::int64_t variables, double* out) const
{
  move96(options_.forcing, base, by, state, variables, out);
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

void TwoScaleLorenz96::move(const double* base, double by, const double* state, std::int64_t variables,
                            double* out) const
{
  move96_two_scale(options_, base, by, state, variables / (1 + options_.fast), out);
}

}  // namespace locum::physics
