#include "shallow_water.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <cmath>
#include <numbers>

#include "../requirements.hpp"
#include "finite_volumes.hpp"

namespace locum::physics {

namespace {

/// Formulas at points: primitive variables are [h, u, (v,) (level = h + b)].
template <int dimensions, bool has_bed>
struct Water {
  static constexpr int axes = dimensions, variables = axes + 1 + (has_bed ? 1 : 0), level = axes + 1;
  static constexpr bool has_source = has_bed;
  double gravity, dry;

  static bool viscous() { return false; }

  template <class Value>
  void primitives(const Value* q, Value* w) const
  {
    using namespace point_values;
    w[0] = larger(q[0], 0.0);
    const Value h2 = w[0] * w[0], h4 = h2 * h2;
    const Value per_depth = std::numbers::sqrt2 * w[0] / root(h4 + larger(h4, dry * dry * dry * dry));
    for (int d = 1; d <= axes; ++d) w[d] = q[d] * per_depth;
    if constexpr (has_bed) w[level] = w[0] + q[level];
  }
  /// Rounding may have left a depth of −1e-17.
  template <class Value>
  void state(const Value* q, Value* out) const
  {
    out[0] = point_values::larger(q[0], 0.0);
    for (int v = 1; v < variables; ++v) out[v] = q[v];
  }
  template <class Value>
  void conserved(const Value* state, Value* q) const
  {
    for (int v = 0; v < variables; ++v) q[v] = state[v];
  }
  template <class Value>
  void state_rate(const Value*, const Value* rate, Value* out) const
  {
    for (int v = 0; v < variables; ++v) out[v] = rate[v];
  }

  /// √(g h), its derivative at 0 kept finite.
  template <class Value>
  Value celerity(const Value& depth) const
  {
    using namespace point_values;
    return root(gravity * larger(depth, 1e-30));
  }

  template <class Value>
  Value signals(const Value* w, const double* spacing) const
  {
    using namespace point_values;
    double per_length = 0;
    for (int d = 0; d < axes; ++d) per_length += 1 / spacing[d];
    Value sum = celerity(w[0]) * per_length;
    for (int d = 0; d < axes; ++d) sum = sum + size_of(w[1 + d]) * (1 / spacing[d]);
    return sum;
  }

  template <class Value>
  void flux(const Value* l, const Value* r, Value* out, Value* in) const
  {
    using namespace point_values;
    Value h_l = l[0], h_r = r[0];
    if constexpr (has_bed) {  // what of both depths is above the higher bed
      const Value bed = larger(l[level] - l[0], r[level] - r[0]);
      h_l = larger(l[level] - bed, 0.0);
      h_r = larger(r[level] - bed, 0.0);
    }
    const Value c_l = celerity(h_l), c_r = celerity(h_r), share = c_l / (c_l + c_r);
    const Value mean = share * l[1] + (1 - share) * r[1], c = celerity(Value(0.5 * (h_l + h_r)));
    const auto dry_l = h_l <= dry, dry_r = h_r <= dry;
    const Value slowest = choose(dry_l, Value(r[1] - 2 * c_r), smaller(l[1] - c_l, mean - c));
    const Value fastest = choose(dry_r, Value(l[1] + 2 * c_l), larger(r[1] + c_r, mean + c));
    const Value low = smaller(slowest, 0.0), high = larger(fastest, 0.0);
    const Value width = high - low, per_width = 1 / choose(width > 0, width, 1.0);

    const Value q_l = h_l * l[1], q_r = h_r * r[1];
    const Value p_l = 0.5 * gravity * h_l * h_l, p_r = 0.5 * gravity * h_r * h_r;
    const Value mass = (high * q_l - low * q_r + high * low * (h_r - h_l)) * per_width;
    const Value momentum =
        (high * (q_l * l[1] + p_l) - low * (q_r * r[1] + p_r) + high * low * (q_r - q_l)) * per_width;
    out[0] = mass;
    out[1] = momentum;
    if constexpr (axes == 2) out[2] = mass * choose(mass > 0, l[2], r[2]);
    if constexpr (has_bed) out[level] = 0 * mass;
    for (int v = 0; v < variables; ++v) in[v] = out[v];
    if constexpr (has_bed) {
      out[1] = momentum + (0.5 * gravity * l[0] * l[0] - p_l);
      in[1] = momentum + (0.5 * gravity * r[0] * r[0] - p_r);
    }
  }

  template <class Value>
  void viscous_flux(const Value*, const Value*, const Value*, Value*) const
  {
  }

  /// −g h ∂b/∂x times the cell's width, b from the depths and levels at its edges.
  template <class Value>
  Value source(const Value* low, const Value* high) const
  {
    return 0.5 * gravity * (low[0] + high[0]) * ((low[level] - low[0]) - (high[level] - high[0]));
  }
};

}  // namespace

ShallowWater::ShallowWater(ShallowWaterOptions options)
    : ConservationLaw("shallow_water", options.volumes), options_(std::move(options))
{
  require_positive(name(),
                   {{"gravity", options_.gravity}, {"dry", options_.dry}, {"inner_depth", options_.inner_depth}});
  require_not_negative(name(), {{"outer_depth", options_.outer_depth},
                                {"hill_height", options_.hill_height},
                                {"dam_offset", options_.dam_offset}});
  const auto& radius = options_.dam_radius;
  if (radius.size() != 2 || !(radius[0] > 0) || !(radius[1] >= radius[0]))
    throw OptionError({.doing = "setting up equation " + name(),
                       .where = "dam_radius",
                       .found = fmt::format("[{}]", fmt::join(radius, ", ")),
                       .expected = "the smallest radius and the largest, above 0",
                       .advice = "dam_radius = [0.3, 0.7]"});
}

std::vector<std::string> ShallowWater::state() const
{
  if (options_.bed == Bed::flat) return {"depth", "discharge"};
  return {"depth", "discharge", "topography"};
}

Sample ShallowWater::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  require_grid(grid);
  const auto axes = grid.axes.size();
  const auto& lengths = volumes().lengths;
  const double shorter = *std::min_element(lengths.begin(), lengths.end());
  /// Squared distance from a place, [(y,) x].
  const auto squared_distance = [&](const std::vector<double>& place) {
    Tensor sum = (grid.coordinates(axes - 1) - place[axes - 1]).square();
    if (axes == 2) sum = sum + (grid.coordinates(0) - place[0]).square().unsqueeze(1);
    return sum;
  };
  std::vector<Tensor> depths, beds;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "initial state", static_cast<std::uint64_t>(i));
    const auto place = [&](double spread) {  // up to so far from the middle
      std::vector<double> at(axes);
      const Tensor numbers = random.uniform({2});
      for (std::size_t axis = 0; axis < axes; ++axis)
        at[axis] = lengths[axis] / 2 + spread * (2 * numbers[static_cast<std::int64_t>(axis)].item<double>() - 1);
      return at;
    };
    const auto& range = options_.dam_radius;
    const double radius = range[0] + (range[1] - range[0]) * random.uniform({1}).item<double>();
    const Tensor within = squared_distance(place(options_.dam_offset)) <= radius * radius;
    Tensor depth = torch::where(within, torch::full({}, options_.inner_depth, torch::kFloat64),
                                torch::full({}, options_.outer_depth, torch::kFloat64));
    if (options_.bed == Bed::hills) {
      Tensor bed = torch::zeros(grid.shape(), torch::kFloat64);
      for (int hill = 0; hill < 8; ++hill) {
        const Tensor numbers = random.uniform({4});
        std::vector<double> at(axes);
        for (std::size_t axis = 0; axis < axes; ++axis)
          at[axis] = lengths[axis] * numbers[static_cast<std::int64_t>(axis)].item<double>();
        const double height = options_.hill_height * numbers[2].item<double>();
        const double hill_radius = shorter * (0.05 + 0.075 * numbers[3].item<double>());
        bed = torch::maximum(bed, height * (-squared_distance(at) / (2 * hill_radius * hill_radius)).exp());
      }
      beds.push_back(bed.unsqueeze(0));
      depth = (depth - bed).clamp_min(0);
    }
    depths.push_back(depth.unsqueeze(0));
  }
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  const Tensor depth = torch::stack(depths);
  std::vector<Tensor> at_rest(axes, torch::zeros_like(depth));
  sample.fields["depth"] = {.values = depth, .unit = "1"};
  sample.fields["discharge"] = {.values = torch::cat(at_rest, 1), .unit = "1"};
  if (!beds.empty()) sample.fields["topography"] = {.values = torch::stack(beds), .unit = "1"};
  return sample;
}

std::unique_ptr<FiniteVolumes> ShallowWater::discretise(const Grid& grid) const
{
  require_grid(grid);
  const auto made = [&](auto water) -> std::unique_ptr<FiniteVolumes> {
    return std::make_unique<FiniteVolumesOf<decltype(water)>>(water, volumes(), grid);
  };
  const double gravity = options_.gravity, dry = options_.dry;
  const bool flat = options_.bed == Bed::flat;
  if (axes() == 1 && flat) return made(Water<1, false>{gravity, dry});
  if (axes() == 1) return made(Water<1, true>{gravity, dry});
  if (flat) return made(Water<2, false>{gravity, dry});
  return made(Water<2, true>{gravity, dry});
}

}  // namespace locum::physics
