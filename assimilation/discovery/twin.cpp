#include "twin.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

namespace locum::assimilation {

Sample observe_pairs(EvolvingSolver& truth, const Sample& state, const std::vector<std::string>& fields,
                     const TwinOptions& options, std::uint64_t seed, const std::function<void(std::int64_t)>& progress)
{
  const auto require = [](bool condition, const char* option, double found, const char* expected) {
    if (!condition)
      throw OptionError({.doing = "observing the truth",
                         .where = fmt::format("discovery.{}", option),
                         .found = fmt::format("{}", found),
                         .expected = expected,
                         .advice = ""});
  };
  require(options.samples >= 1, "samples", static_cast<double>(options.samples), "at least 1");
  require(options.interval > 0, "interval", options.interval, "a positive time");
  require(options.spacing >= options.interval, "spacing", options.spacing, "at least discovery.interval");
  require(options.noise >= 0, "noise", options.noise, "at least 0");

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

  if (options.noise > 0)
    for (const std::string& name : fields) {
      const double size = options.noise * before.field(name).values.std().item<double>();
      RandomStream random(seed, "observation noise of " + name);
      for (Sample* observed : {&before, &after}) {
        Tensor& values = observed->fields.at(name).values;
        values = values + size * random.normal(values.sizes().vec()).to(values.scalar_type());
      }
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

Sample with_model(EvolvingSolver& model, const Sample& pairs, const std::vector<std::string>& fields, double interval)
{
  Sample start{.domain = pairs.domain, .fields = {}, .scalars = {}, .time = pairs.time - interval};
  for (const std::string& name : fields) start.fields[name] = pairs.field(name + "_start");
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
