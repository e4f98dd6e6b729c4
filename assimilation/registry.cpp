#include "registry.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cmath>

#include "filters/local_transform_filter.hpp"
#include "filters/particle_filter.hpp"
#include "filters/perturbed_filter.hpp"
#include "filters/serial_filter.hpp"
#include "filters/static_filter.hpp"
#include "filters/transform_filter.hpp"
#include "smoothers/transform_smoother.hpp"
#include "variational/four_dimensional.hpp"

namespace locum::assimilation {

static void require(bool condition, const std::string& option, double found, const std::string& expected,
                    const std::string& advice)
{
  if (condition) return;
  throw OptionError({.doing = "setting up assimilation",
                     .where = "assimilation." + option,
                     .found = fmt::format("{}", found),
                     .expected = expected,
                     .advice = advice});
}

std::unique_ptr<Method> make_method(const MethodOptions& o, const Grid& grid,
                                    const std::function<Matrix(std::int64_t states)>& climate)
{
  const bool single = o.method == MethodKind::interpolation || o.method == MethodKind::three_d_var ||
                      o.method == MethodKind::four_d_var;
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  require(single || o.members >= 2, "members", number(o.members), "at least 2: one member has no spread",
          "members = 20");
  require(o.inflation.factor > 0, "inflation", o.inflation.factor, "above 0; 1 for none", "inflation = 1.02");
  require(o.inflation.rtps >= 0 && o.inflation.rtps <= 1, "rtps", o.inflation.rtps, "0 to 1", "rtps = 0.5");
  require(o.inflation.rtpp >= 0 && o.inflation.rtpp <= 1, "rtpp", o.inflation.rtpp, "0 to 1", "rtpp = 0.5");
  require(o.iterations > 0, "iterations", number(o.iterations), "at least 1", "iterations = 10");
  require(o.climate_states > 1, "climate_states", number(o.climate_states), "at least 2", "climate_states = 500");
  require(o.background_scale > 0, "background_scale", o.background_scale, "above 0", "background_scale = 1.0");
  require(o.resample >= 0 && o.resample <= 1, "resample", o.resample, "0 to 1", "resample = 0.2");
  require(o.jitter >= 0, "jitter", o.jitter, "at least 0", "jitter = 0.2");

  RowVector mean;
  const auto background = [&]() -> Matrix {
    const Matrix states = climate(o.climate_states);
    mean = mean_of(states);
    return std::sqrt(o.background_scale) * anomalies_of(states);
  };
  switch (o.method) {
    case MethodKind::enkf:
      return std::make_unique<PerturbedFilter>(o.members, o.inflation, grid, o.localisation);
    case MethodKind::etkf:
      return std::make_unique<TransformFilter>(o.members, o.inflation);
    case MethodKind::ensrf:
      return std::make_unique<SerialFilter>(o.members, o.inflation, grid, o.localisation);
    case MethodKind::letkf:
      return std::make_unique<LocalTransformFilter>(o.members, o.inflation, grid, o.localisation);
    case MethodKind::enkf_n:
      return std::make_unique<FiniteSizeFilter>(o.members, o.inflation);
    case MethodKind::hybrid:
      return std::make_unique<HybridFilter>(o.members, o.inflation, grid, o.localisation, background(), o.hybrid);
    case MethodKind::particle:
      return std::make_unique<ParticleFilter>(o.members, o.jitter, o.resample);
    case MethodKind::interpolation: {
      Matrix anomalies = background();
      return std::make_unique<StaticFilter>(grid, o.localisation, std::move(anomalies), mean, o.iterations);
    }
    case MethodKind::three_d_var:
      return std::make_unique<StaticFilter>(grid, o.localisation, background(), RowVector(), o.iterations);
    case MethodKind::four_d_var:
      return std::make_unique<FourDimensional>(background(), o.lag, o.iterations);
    case MethodKind::enks:
      return std::make_unique<TransformSmoother>(o.members, o.inflation, o.lag);
    case MethodKind::ienks:
      return std::make_unique<IterativeSmoother>(o.members, o.inflation, o.lag, o.iterations);
  }
  return nullptr;
}

}  // namespace locum::assimilation
