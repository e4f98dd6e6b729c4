#include "euler.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/options.hpp>
#include <locum/core/random.hpp>

#include <cmath>
#include <numbers>

#include "../requirements.hpp"
#include "finite_volumes.hpp"

namespace locum::physics {

namespace {

/// Formulas at points: primitive variables are [ρ, u, (v,) p].
template <int dimensions>
struct Gas {
  static constexpr int axes = dimensions, variables = axes + 2;
  static constexpr bool has_source = false;
  double gamma, shear, bulk;

  bool viscous() const { return shear > 0 || bulk > 0; }

  template <class Value>
  static Value squared_speed(const Value* w)
  {
    if constexpr (axes == 1) return w[1] * w[1];
    else return w[1] * w[1] + w[2] * w[2];
  }

  template <class Value>
  void primitives(const Value* q, Value* w) const
  {
    w[0] = q[0];
    const Value volume = 1 / q[0];
    for (int d = 1; d <= axes; ++d) w[d] = q[d] * volume;
    w[axes + 1] = (gamma - 1) * (q[axes + 1] - 0.5 * q[0] * squared_speed(w));
  }
  template <class Value>
  void state(const Value* q, Value* w) const
  {
    primitives(q, w);
  }
  template <class Value>
  void conserved(const Value* w, Value* q) const
  {
    q[0] = w[0];
    for (int d = 1; d <= axes; ++d) q[d] = w[0] * w[d];
    q[axes + 1] = w[axes + 1] / (gamma - 1) + 0.5 * w[0] * squared_speed(w);
  }
  template <class Value>
  void state_rate(const Value* q, const Value* rate, Value* out) const
  {
    Value w[variables];
    primitives(q, w);
    out[0] = rate[0];
    Value work = rate[axes + 1] + 0.5 * squared_speed(w) * rate[0];
    for (int d = 1; d <= axes; ++d) {
      out[d] = (rate[d] - w[d] * rate[0]) / q[0];
      work = work - w[d] * rate[d];
    }
    out[axes + 1] = (gamma - 1) * work;
  }

  template <class Value>
  Value signals(const Value* w, const double* spacing) const
  {
    using namespace point_values;
    double per_length = 0, per_area = 0;
    for (int d = 0; d < axes; ++d) {
      per_length += 1 / spacing[d];
      per_area += 1 / (spacing[d] * spacing[d]);
    }
    const Value volume = 1 / w[0];
    Value sum = root(gamma * w[axes + 1] * volume) * per_length;
    for (int d = 0; d < axes; ++d) sum = sum + size_of(w[1 + d]) * (1 / spacing[d]);
    return sum + (2 * (4.0 / 3.0 * shear + bulk) * per_area) * volume;
  }

  template <class Value>
  void flux(const Value* l, const Value* r, Value* out, Value* in) const
  {
    using namespace point_values;
    constexpr int p = axes + 1;
    const Value root_l = root(l[0]), root_r = root(r[0]), share_l = root_l / (root_l + root_r), share_r = 1 - share_l;
    const Value c2_l = gamma * l[p] / l[0], c2_r = gamma * r[p] / r[0], jump = r[1] - l[1];
    const Value mean = share_l * l[1] + share_r * r[1];
    const Value spread = root(share_l * c2_l + share_r * c2_r + 0.5 * share_l * share_r * jump * jump);
    const Value slowest = smaller(l[1] - root(c2_l), mean - spread), fastest = larger(r[1] + root(c2_r), mean + spread);
    const Value m_l = l[0] * (slowest - l[1]), m_r = r[0] * (fastest - r[1]);
    const Value contact = (r[p] - l[p] + m_l * l[1] - m_r * r[1]) / (m_l - m_r);

    // Of both sides of the contact wave only that which the face is in.
    const auto right_going = contact >= 0;
    Value w[variables];
    for (int v = 0; v < variables; ++v) w[v] = choose(right_going, l[v], r[v]);
    const Value wave = choose(right_going, slowest, fastest), m = choose(right_going, m_l, m_r);
    const Value weight = choose(right_going, smaller(slowest, 0.0), larger(fastest, 0.0));
    const Value energy = w[p] / (gamma - 1) + 0.5 * w[0] * squared_speed(w), mass = w[0] * w[1];
    const Value behind = m / (wave - contact);  // density there
    const Value denser = weight * (behind - w[0]);
    out[0] = mass + denser;
    out[1] = mass * w[1] + w[p] + weight * (behind * contact - mass);
    if constexpr (axes == 2) out[2] = (mass + denser) * w[2];
    out[p] =
        w[1] * (energy + w[p]) + weight * (behind * (energy / w[0] + (contact - w[1]) * (contact + w[p] / m)) - energy);
    for (int v = 0; v < variables; ++v) in[v] = out[v];
  }

  template <class Value>
  void viscous_flux(const Value* mean, const Value* normal, const Value* tangential, Value* flux) const
  {
    const double second = bulk - 2.0 / 3.0 * shear;
    if constexpr (axes == 1) {
      flux[1] = (2 * shear + second) * normal[0];
      flux[2] = mean[0] * flux[1];
    } else {
      flux[1] = 2 * shear * normal[0] + second * (normal[0] + tangential[1]);
      flux[2] = shear * (normal[1] + tangential[0]);
      flux[3] = mean[0] * flux[1] + mean[1] * flux[2];
    }
  }
};

/// Σ |k|^−½ sin(2π k·x / L + phase) for the numbers of waves from −waves to waves, but those with a zero.
/// @param phases  [wave], of 2π
Tensor sum_of_waves(const Grid& grid, std::int64_t waves, const Tensor& phases)
{
  constexpr double whole = 2 * std::numbers::pi;
  const auto along = [&](std::size_t axis, std::int64_t k) {  // angle, [(y,) x], and wave number
    const Axis& of = grid.axes[axis];
    const double number = whole * static_cast<double>(k) / (of.spacing * static_cast<double>(of.points));
    const Tensor angle = number * grid.coordinates(axis);
    return std::pair{axis + 1 < grid.axes.size() ? angle.unsqueeze(1) : angle, number};
  };
  Tensor sum = torch::zeros(grid.shape(), torch::kFloat64);
  std::int64_t wave = 0;
  for (std::int64_t j = -waves; j <= waves; ++j)
    for (std::int64_t i = -waves; i <= waves; ++i) {
      if (i * j == 0 || (grid.axes.size() == 1 && j != 1)) continue;
      auto [angle, number] = along(grid.axes.size() - 1, i);
      double size = std::fabs(number);
      if (grid.axes.size() == 2) {
        const auto [other, other_number] = along(0, j);
        angle = angle + other;
        size = std::hypot(number, other_number);
      }
      sum += (angle + whole * phases[wave++]).sin() / std::sqrt(size);
    }
  return sum;
}

/// The part of a velocity [component, y, x] without divergence.
Tensor without_divergence(const Tensor& velocity, const Grid& grid)
{
  const auto numbers = [&](std::size_t axis) {
    return torch::fft::fftfreq(grid.axes[axis].points, grid.axes[axis].spacing, torch::kFloat64);
  };
  const Tensor ky = numbers(0).unsqueeze(1), kx = numbers(1), k2 = kx.square() + ky.square();
  const Tensor modes = torch::fft::fft2(velocity);
  const Tensor along = (kx * modes[0] + ky * modes[1]) / torch::where(k2 > 0, k2, torch::ones_like(k2));
  return torch::real(torch::fft::ifft2(torch::stack({modes[0] - kx * along, modes[1] - ky * along})));
}

double between(const Tensor& number, double low, double high) { return low + (high - low) * number.item<double>(); }

/// A state [channel, (y,) x].
Tensor draw_state(const EulerOptions& options, const Grid& grid, RandomStream& random)
{
  const auto axes = static_cast<std::int64_t>(grid.axes.size());
  const auto shape = grid.shape();
  const Tensor ones = torch::ones(shape, torch::kFloat64);
  const Axis& x = grid.axes.back();
  const Tensor place = grid.coordinates(grid.axes.size() - 1) / (x.spacing * static_cast<double>(x.points));  // 0 to 1

  if (options.states == GasStates::shock) {
    const Tensor numbers = random.uniform({7});
    const auto level = [&](int i) { return std::pow(10, between(numbers[i], -1, 1)); };
    const Tensor left = place < between(numbers[6], 0.25, 0.75);
    std::vector<Tensor> sides;
    for (int side = 0; side < 2; ++side) {
      const double density = level(3 * side), pressure = level(3 * side + 1);
      const double velocity =
          options.mach * std::sqrt(options.gamma * pressure / density) * between(numbers[3 * side + 2], -1, 1);
      sides.push_back(torch::stack({density * ones, velocity * ones, pressure * ones}));
    }
    return torch::where(left, sides[0], sides[1]);
  }

  const std::int64_t count = axes == 1 ? 2 * options.waves : 4 * options.waves * options.waves;
  const Tensor phases = random.uniform({axes + 2, count});
  std::vector<Tensor> waves;  // velocity, pressure, density
  for (std::int64_t i = 0; i < axes + 2; ++i) waves.push_back(sum_of_waves(grid, options.waves, phases[i]));
  Tensor velocity = torch::stack(std::vector<Tensor>(waves.begin(), waves.begin() + axes));
  if (options.states == GasStates::turbulent) velocity = without_divergence(velocity, grid);
  const auto scaled = [&](double speed) { return velocity * (speed / velocity.square().sum(0).sqrt().mean()); };
  if (options.states == GasStates::turbulent)
    return torch::cat(
        {ones.unsqueeze(0), scaled(1), (ones / (options.gamma * options.mach * options.mach)).unsqueeze(0)});

  const Tensor numbers = random.uniform({4 + 1 + 2 * axes});
  const double density = between(numbers[0], 0.1, 10), temperature = between(numbers[1], 0.1, 10);
  const auto varied = [](double mean, double variation, const Tensor& wave) {
    return mean * (1 + (variation * wave / wave.abs().mean()).clamp(-0.9, 0.9));
  };
  Tensor mask = ones;
  if (numbers[4].item<double>() < 0.5)
    for (std::int64_t axis = 0; axis < axes; ++axis) {
      constexpr double edge = 0.01;
      const Axis& along = grid.axes[static_cast<std::size_t>(axis)];
      Tensor part =
          grid.coordinates(static_cast<std::size_t>(axis)) / (along.spacing * static_cast<double>(along.points));
      part = (((part - between(numbers[5 + 2 * axis], 0.1, 0.45)) / edge).tanh() -
              ((part - between(numbers[6 + 2 * axis], 0.55, 0.9)) / edge).tanh()) /
             2;
      mask = mask * (axis + 1 < axes ? part.unsqueeze(1) : part);
    }
  const auto within = [&](const Tensor& values, double outside) {
    return (mask * values + (1 - mask) * outside).unsqueeze(0);
  };
  const double pressure = density * temperature;
  return torch::cat({within(varied(density, between(numbers[2], 0.01, 0.2), waves.back()), density),
                     mask * scaled(options.mach * std::sqrt(options.gamma * temperature)),
                     within(varied(pressure, between(numbers[3], 0.01, 0.2), waves[waves.size() - 2]), pressure)});
}

}  // namespace

Euler::Euler(EulerOptions options) : ConservationLaw("euler", options.volumes), options_(std::move(options))
{
  require_positive(name(), {{"mach", options_.mach}, {"waves", static_cast<double>(options_.waves)}});
  require_not_negative(name(),
                       {{"shear_viscosity", options_.shear_viscosity}, {"bulk_viscosity", options_.bulk_viscosity}});
  if (!(options_.gamma > 1) || !std::isfinite(options_.gamma))
    throw OptionError({.doing = "setting up equation " + name(),
                       .where = "gamma",
                       .found = fmt::format("{}", options_.gamma),
                       .expected = "above 1",
                       .advice = "gamma = 1.4"});
  const int wanted = options_.states == GasStates::turbulent ? 2 : options_.states == GasStates::shock ? 1 : axes();
  if (wanted != axes())
    throw OptionError({.doing = "setting up equation " + name(),
                       .where = "states",
                       .found = fmt::format("{} along {} axes", name_of(options_.states), axes()),
                       .expected = wanted == 1 ? "a line" : "a plane",
                       .advice = "states = \"random\""});
}

Sample Euler::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  require_grid(grid);
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "initial state", static_cast<std::uint64_t>(i));
    states.push_back(draw_state(options_, grid, random));
  }
  const Tensor all = torch::stack(states);
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  sample.fields["density"] = {.values = all.narrow(1, 0, 1), .unit = "1"};
  sample.fields["velocity"] = {.values = all.narrow(1, 1, axes()), .unit = "1"};
  sample.fields["pressure"] = {.values = all.narrow(1, axes() + 1, 1), .unit = "1"};
  return sample;
}

std::unique_ptr<FiniteVolumes> Euler::discretise(const Grid& grid) const
{
  require_grid(grid);
  const auto made = [&](auto gas) -> std::unique_ptr<FiniteVolumes> {
    return std::make_unique<FiniteVolumesOf<decltype(gas)>>(gas, volumes(), grid);
  };
  const double gamma = options_.gamma, shear = options_.shear_viscosity, bulk = options_.bulk_viscosity;
  if (axes() == 1) return made(Gas<1>{gamma, shear, bulk});
  return made(Gas<2>{gamma, shear, bulk});
}

}  // namespace locum::physics
