#include "twin.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>
#include <locum/physics/periodic/periodic_equation.hpp>

#include <algorithm>
#include <array>

namespace locum::assimilation {

namespace {

void require(bool condition, const char* option, double found, const char* expected)
{
  if (!condition)
    throw OptionError({.doing = "observing the truth",
                       .where = fmt::format("discovery.{}", option),
                       .found = fmt::format("{}", found),
                       .expected = expected,
                       .advice = ""});
}

constexpr std::array ends = {"_start", "_end"};

/// One end of all pairs, under the names of the fields.
Sample end_of(const Sample& pairs, const std::vector<std::string>& fields, const char* end)
{
  Sample state{.domain = pairs.domain, .fields = {}, .scalars = {}, .time = pairs.time};
  for (const std::string& name : fields) state.fields[name] = pairs.field(name + end);
  return state;
}

/// The state of which these fields are known, itself or its diagnostics: by least squares at every wave number.
Sample state_of(const physics::PeriodicEquation& equation, const Sample& known,
                const std::vector<std::string>& observed)
{
  const Grid& grid = known.grid();
  const auto fields = equation.state();
  const auto diagnostics = equation.diagnostics(grid);
  const Tensor k2 = physics::squared_wave_number(grid);
  const auto components = static_cast<std::int64_t>(fields.size());
  auto shape = k2.sizes().vec();
  shape.insert(shape.begin(), components);
  std::vector<Tensor> rows, values;  // [component, mode…]; [member, mode…]
  for (const std::string& name : observed) {
    Tensor modes = physics::to_modes(known.field(name).values.to(torch::kFloat64)).select(1, 0);
    const auto own = std::find(fields.begin(), fields.end(), name);
    const auto linear =
        std::find_if(diagnostics.begin(), diagnostics.end(), [&](const auto& d) { return d.name == name; });
    if (own != fields.end()) {
      rows.push_back(torch::zeros(shape, torch::kComplexDouble));
      rows.back()[own - fields.begin()].fill_(1);
    } else if (linear != diagnostics.end() && linear->expand.defined()) {
      rows.push_back(linear->expand.expand(shape));
      if (linear->mean.defined()) modes = modes - linear->mean;
    } else {
      throw OptionError({.doing = "finding the state of what is observed",
                         .where = "discovery.observed",
                         .found = fmt::format("\"{}\"", name),
                         .expected = "fields of the state or its diagnostics",
                         .advice = "observed = []"});
    }
    values.push_back(modes);
  }
  const Tensor matrix = torch::stack(rows).movedim(std::vector<std::int64_t>{0, 1}, std::vector<std::int64_t>{-2, -1});
  const Tensor inverse = torch::linalg_pinv(matrix, 1e-10);  // [mode…, component, observed]
  const Tensor missing = (inverse.matmul(matrix) - torch::eye(components, torch::kComplexDouble)).abs().amax({-2, -1});
  if ((missing * (k2 > 0)).max().item<double>() > 1e-6)  // a mean may be unknown: nothing depends on that of ψ
    throw OptionError({.doing = "finding the state of what is observed",
                       .where = "discovery.observed",
                       .found = fmt::format("[{}]", fmt::join(observed, ", ")),
                       .expected = fmt::format("fields that say what {} are", fmt::join(fields, ", ")),
                       .advice = "observed = []"});
  const Tensor right = torch::stack(values, -1).unsqueeze(-1);  // [member, mode…, observed, 1]
  const Tensor modes = inverse.matmul(right).squeeze(-1).movedim(-1, 1);
  Sample state{.domain = known.domain, .fields = {}, .scalars = {}, .time = known.time};
  const Tensor result = physics::from_modes(modes, grid);
  for (std::int64_t i = 0; i < components; ++i)
    state.fields[fields[static_cast<std::size_t>(i)]] = {.values = result.narrow(1, i, 1), .unit = "1"};
  return state;
}

/// Fills in between sensors. @param values  a field an entry, both ends, [pair, 1, (z, y,) x]; changed
void fill_in(std::map<std::string, std::array<Tensor, 2>>& values, const Grid& grid, double part,
             const InterpolationOptions& options, std::uint64_t seed)
{
  std::int64_t points = 1;
  for (const Axis& axis : grid.axes) points *= axis.points;
  const auto count = static_cast<std::int64_t>(part * static_cast<double>(points));
  const Tensor sensors = std::get<0>(RandomStream(seed, "sensors").permutation(points).narrow(0, 0, count).sort());
  const FieldInterpolation interpolation(grid, sensors, options, seed);
  std::vector<Tensor> seen;
  for (const auto& [name, both] : values) {
    const auto at_sensors = [&](const Tensor& field) { return field.flatten(1).index_select(1, sensors); };
    seen.push_back(at_sensors((both[0] + both[1]) / 2));
    seen.push_back(at_sensors(both[1] - both[0]));
  }
  const Tensor filled = interpolation.fill(torch::stack(seen, 1));
  std::int64_t column = 0;
  for (auto& [name, both] : values) {
    const Tensor mean = filled.narrow(1, column, 1), change = filled.narrow(1, column + 1, 1);
    both = {mean - change / 2, mean + change / 2};
    column += 2;
  }
}

}  // namespace

Sample make_pairs(EvolvingSolver& truth, const Sample& state, const std::vector<std::string>& fields,
                  const TwinOptions& options, const std::function<void(std::int64_t)>& progress)
{
  require(options.samples >= 1, "samples", static_cast<double>(options.samples), "at least 1");
  require(options.interval > 0, "interval", options.interval, "a positive time");
  require(options.spacing >= options.interval, "spacing", options.spacing, "at least discovery.interval");

  Sample now = state, before, after;
  for (std::int64_t pair = 0; pair < options.samples; ++pair) {
    const Sample later = truth.advance(now, options.interval);
    if (pair == 0) {
      before = now;
      after = later;
    } else {
      before.append(now);
      after.append(later);
    }
    progress(pair + 1);
    if (pair + 1 < options.samples && options.spacing > options.interval)
      now = truth.advance(later, options.spacing - options.interval);
    else now = later;
  }

  Sample pairs{.domain = after.domain, .fields = {}, .scalars = {}, .time = after.time};
  for (const std::string& name : fields) {
    pairs.fields[name + "_start"] = before.field(name);
    pairs.fields[name + "_end"] = after.field(name);
  }
  pairs.scalars["interval"] = {.values = torch::full({options.samples}, options.interval, torch::kFloat64),
                               .unit = "1"};
  return pairs;
}

Sample observe_pairs(const Sample& pairs, const physics::EvolvingEquation& equation, const TwinOptions& options,
                     const InterpolationOptions& interpolation, std::uint64_t seed)
{
  require(options.noise >= 0, "noise", options.noise, "at least 0");
  require(options.sensors > 0 && options.sensors <= 1, "sensors", options.sensors, "above 0, up to 1");
  const auto* periodic = dynamic_cast<const physics::PeriodicEquation*>(&equation);
  const auto fields = equation.state();
  const auto observed = options.observed.empty() ? fields : options.observed;
  if (!periodic && observed != fields)
    throw OptionError({.doing = "observing the truth",
                       .where = "discovery.observed",
                       .found = fmt::format("[{}] of {}", fmt::join(observed, ", "), equation.name()),
                       .expected = "its state: the equation has no diagnostics",
                       .advice = "observed = []"});

  std::map<std::string, std::array<Tensor, 2>> values;
  for (std::size_t end = 0; end < ends.size(); ++end) {
    const Sample state = end_of(pairs, fields, ends[end]);
    const Sample all = periodic ? physics::with_diagnostics(*periodic, state) : state;
    for (const std::string& name : observed) values[name][end] = all.field(name).values;
  }
  if (options.noise > 0)
    for (auto& [name, both] : values) {
      const double size = options.noise * both[0].std().item<double>();
      RandomStream random(seed, "observation noise of " + name);
      for (Tensor& one : both) one = one + size * random.normal(one.sizes().vec()).to(one.scalar_type());
    }
  if (options.sensors < 1) fill_in(values, pairs.grid(), options.sensors, interpolation, seed);

  Sample result = pairs;
  for (std::size_t end = 0; end < ends.size(); ++end) {
    Sample known{.domain = pairs.domain, .fields = {}, .scalars = {}, .time = pairs.time};
    for (const std::string& name : observed) known.fields[name] = {.values = values[name][end], .unit = "1"};
    const Sample state = observed == fields ? known : state_of(*periodic, known, observed);
    for (const std::string& name : fields) {
      auto& field = result.fields.at(name + ends[end]);
      field.values = state.field(name).values.to(field.values.scalar_type());
    }
  }
  return result;
}

Sample with_model(EvolvingSolver& model, const Sample& pairs, const std::vector<std::string>& fields, double interval)
{
  Sample start = end_of(pairs, fields, "_start");
  start.time = pairs.time - interval;
  const Sample forecast = model.advance(start, interval);
  Sample result = pairs;
  for (const std::string& name : fields) {
    const Field &analysis = pairs.field(name + "_end"), &predicted = forecast.field(name);
    result.fields[name] = {.values = (analysis.values + predicted.values) / 2, .unit = analysis.unit};
    result.fields[name + "_increment"] = {.values = analysis.values - predicted.values, .unit = analysis.unit};
  }
  return result;
}

}  // namespace locum::assimilation
