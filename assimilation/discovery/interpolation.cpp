#include "interpolation.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>
#include <locum/operators/training/optimisers/adam.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

namespace locum::assimilation {

namespace {

/// Whole multiples of the box's lowest wave numbers, half of them for b and −b are the same feature; [vector,
/// dimension] in cycles per unit of length.
Tensor wave_vectors_of(const Grid& grid)
{
  std::vector<Tensor> axes;
  for (const Axis& axis : grid.axes) {
    const std::int64_t highest = (axis.points - 1) / 2;
    axes.push_back(torch::arange(-highest, highest + 1, torch::kFloat64) /
                   (static_cast<double>(axis.points) * axis.spacing));
  }
  std::vector<Tensor> flat;
  for (const Tensor& component : torch::meshgrid(axes, "ij")) flat.push_back(component.reshape(-1));
  const Tensor all = torch::stack(flat, 1);
  return all.narrow(0, all.size(0) / 2, all.size(0) / 2 + 1);  // 0 in the middle; before it are those after it, negated
}

/// A tenth, which a fit does not see.
constexpr std::int64_t held_out = 10;

/// Layers of tanh over features.
struct CoordinateNetwork : torch::nn::Module {
  CoordinateNetwork(std::int64_t inputs, const InterpolationOptions& options, std::int64_t outputs, RandomStream random)
  {
    for (std::int64_t layer = 0; layer <= options.layers; ++layer) {
      const std::int64_t from = layer == 0 ? inputs : options.width;
      const std::int64_t to = layer == options.layers ? outputs : options.width;
      const double bound = 1 / std::sqrt(static_cast<double>(from));
      const auto draw = [&](std::vector<std::int64_t> shape) {
        return ((2 * random.uniform(shape) - 1) * bound).to(torch::kFloat32);
      };
      weights.push_back(register_parameter(fmt::format("weight_{}", layer), draw({from, to})));
      biases.push_back(register_parameter(fmt::format("bias_{}", layer), draw({to})));
    }
  }
  Tensor forward(Tensor x) const
  {
    for (std::size_t layer = 0; layer < weights.size(); ++layer) {
      x = torch::addmm(biases[layer], x, weights[layer]);
      if (layer + 1 < weights.size()) x = x.tanh();
    }
    return x;
  }
  std::vector<Tensor> weights, biases;
};

}  // namespace

FieldInterpolation::FieldInterpolation(const Grid& grid, Tensor sensors, const InterpolationOptions& options,
                                       std::uint64_t seed)
    : grid_(grid), sensors_(std::move(sensors)), options_(options), seed_(seed)
{
  const bool network = options.method == Interpolation::network;
  const Tensor all = wave_vectors_of(grid);
  const auto require = [](bool condition, const char* option, double found, const std::string& expected) {
    if (!condition)
      throw OptionError({.doing = "interpolating between sensors",
                         .where = fmt::format("discovery.interpolation.{}", option),
                         .found = fmt::format("{}", found),
                         .expected = expected,
                         .advice = ""});
  };
  for (const Axis& axis : grid.axes)
    if (!axis.periodic)
      throw OptionError({.doing = "interpolating between sensors",
                         .where = "the grid",
                         .found = fmt::format("axis {} that is not periodic", axis.name),
                         .expected = "a periodic box",
                         .advice = ""});
  require(options.features >= (network ? 0 : 1), "features", static_cast<double>(options.features),
          network ? "at least 0" : "at least 1");
  require(options.scale > 0, "scale", options.scale, "above 0");
  require(options.smoothness >= 0, "smoothness", options.smoothness, "at least 0");
  require(options.width >= 1, "width", static_cast<double>(options.width), "at least 1");
  require(options.layers >= 1, "layers", static_cast<double>(options.layers), "at least 1");
  require(options.steps >= 1, "steps", static_cast<double>(options.steps), "at least 1");
  require(options.rate > 0, "rate", options.rate, "above 0");
  if (sensors_.numel() < held_out)
    throw OptionError({.doing = "interpolating between sensors",
                       .where = "discovery.sensors",
                       .found = fmt::format("{} of {} points", sensors_.numel(),
                                            torch::tensor(grid.shape()).prod().item<std::int64_t>()),
                       .expected = fmt::format("at least {} points", held_out),
                       .advice = "sensors = 0.25"});

  std::vector<Tensor> coordinates;
  double volume = 1;
  for (std::size_t axis = 0; axis < grid.axes.size(); ++axis) {
    coordinates.push_back(grid.coordinates(axis));
    volume *= static_cast<double>(grid.axes[axis].points) * grid.axes[axis].spacing;
  }
  std::vector<Tensor> flat;
  for (const Tensor& component : torch::meshgrid(coordinates, "ij")) flat.push_back(component.reshape(-1));
  points_ = torch::stack(flat, 1);
  const double distance =
      std::pow(volume / static_cast<double>(sensors_.numel()), 1 / static_cast<double>(grid.axes.size()));
  const double deviation = options.scale / distance;

  // Normal ones without repetition: the largest of log probability + a number of Gumbel's distribution.
  const Tensor squares = all.square().sum(1) / (deviation * deviation);
  const Tensor gumbel = -(-RandomStream(seed, "wave vectors").uniform({all.size(0)}).log()).log();
  const Tensor order = (gumbel - squares / 2)
                           .argsort(/*dim=*/0, /*descending=*/true)
                           .narrow(0, 0, std::min(options.features, all.size(0)));
  vectors_ = all.index_select(0, order);
  const Tensor variances = (1 + squares.index_select(0, order)).pow(-options.smoothness);
  sizes_ = (variances / variances.sum()).sqrt();
}

/// Cosines and sines at positions [point, dimension]: [point, 2 · feature]; without features the position, from −1
/// to 1.
Tensor FieldInterpolation::features(const Tensor& positions) const
{
  if (options_.features == 0) {
    const Tensor lowest = std::get<0>(points_.min(0)), highest = std::get<0>(points_.max(0));
    return 2 * (positions - lowest) / (highest - lowest) - 1;
  }
  const Tensor phases = 2 * M_PI * positions.matmul(vectors_.t());
  return torch::cat({phases.cos(), phases.sin()}, 1);
}

/// Of the field between places of the grid, a priori; 1 at a place with itself. [from, to]
Tensor FieldInterpolation::covariance(const Tensor& from, const Tensor& to) const
{
  const Tensor sizes = torch::cat({sizes_, sizes_});
  const auto weighted = [&](const Tensor& places) { return features(points_.index_select(0, places)) * sizes; };
  return weighted(from).matmul(weighted(to).t());
}

Tensor FieldInterpolation::ridge(const Tensor& values) const
{
  const std::int64_t groups = values.size(0), fields = values.size(1), count = sensors_.numel();
  const Tensor whole = covariance(sensors_, sensors_);
  const auto fit = [](const Tensor& covariances, double lambda, const Tensor& right) {
    Tensor system = covariances.clone();
    system.diagonal().add_(lambda);
    const auto [root, failed] = torch::linalg_cholesky_ex(system);
    return failed.item<int>() > 0 ? torch::full_like(right, NAN) : torch::cholesky_solve(right, root);
  };
  // [sensor, field, group]; of size 1 and mean 0, which the penalty is for.
  const Tensor means = values.mean(2).mean(0).unsqueeze(1);
  const Tensor right = values.permute({2, 1, 0}) - means;
  const Tensor order = RandomStream(seed_, "left out").permutation(count);
  const Tensor tested = order.narrow(0, 0, count / held_out),
               fitted = order.narrow(0, count / held_out, count - count / held_out);
  const Tensor among = whole.index_select(0, fitted).index_select(1, fitted);
  const Tensor towards = whole.index_select(0, tested).index_select(1, fitted);
  std::vector<double> least(static_cast<std::size_t>(fields), std::numeric_limits<double>::infinity());
  std::vector<double> chosen(static_cast<std::size_t>(fields), 1);
  for (double lambda = 1e-12; lambda < 10; lambda *= 10) {
    const Tensor weights = fit(among, lambda, right.index_select(0, fitted).reshape({fitted.numel(), -1}));
    const Tensor errors =
        (towards.matmul(weights).view({-1, fields, groups}) - right.index_select(0, tested)).square().sum(2).sum(0);
    for (std::int64_t field = 0; field < fields; ++field) {
      const double error = errors[field].item<double>();
      const auto at = static_cast<std::size_t>(field);
      if (!(error < least[at])) continue;
      least[at] = error;
      chosen[at] = lambda;
    }
  }
  std::vector<Tensor> weights;
  for (std::int64_t field = 0; field < fields; ++field)
    weights.push_back(fit(whole, chosen[static_cast<std::size_t>(field)], right.select(1, field)));
  const Tensor all_weights = torch::stack(weights, 1).view({count, -1});

  // Weights of features first: the grid's covariances with all sensors would not fit memory.
  const Tensor sizes = torch::cat({sizes_, sizes_}).unsqueeze(1).square();
  const Tensor of_features = sizes * features(points_.index_select(0, sensors_)).t().matmul(all_weights);
  std::vector<Tensor> filled;
  for (const Tensor& some : points_.split(2048)) filled.push_back(features(some).matmul(of_features));
  auto shape = grid_.shape();
  shape.insert(shape.begin(), {fields, groups});
  const Tensor result = torch::cat(filled).t().reshape(shape).transpose(0, 1);
  shape.assign(result.dim(), 1);
  shape[1] = fields;
  return result + means.view(shape);
}

Tensor FieldInterpolation::network(const Tensor& values, std::uint64_t group) const
{
  const Tensor mean = values.mean(1, /*keepdim=*/true), deviation = values.std(1, /*unbiased=*/false, /*keepdim=*/true);
  const Tensor targets = ((values - mean) / deviation).t().to(torch::kFloat32);
  const auto inputs_at = [&](const Tensor& positions) { return features(positions).to(torch::kFloat32); };
  const Tensor inputs = inputs_at(points_.index_select(0, sensors_));
  CoordinateNetwork network(inputs.size(1), options_, values.size(0), RandomStream(seed_, "weights", group));
  operators::Parameters parameters(network);
  operators::Adam adam(parameters, operators::Adam::WeightDecay::coupled, 0);
  constexpr std::int64_t batch = 1024;
  const std::int64_t count = inputs.size(0), batches = (count + batch - 1) / batch;
  Tensor order;
  for (std::int64_t step = 0; step < options_.steps; ++step) {
    if (step % batches == 0)
      order = RandomStream(seed_ + group, "order of sensors", static_cast<std::uint64_t>(step)).permutation(count);
    const std::int64_t first = step % batches * batch;
    const Tensor some = order.narrow(0, first, std::min(batch, count - first));
    const double part = static_cast<double>(step) / static_cast<double>(options_.steps);
    adam.step(options_.rate * 0.5 * (1 + std::cos(M_PI * part)), [&] {
      parameters.forget_gradients();
      const Tensor loss =
          (network.forward(inputs.index_select(0, some)) - targets.index_select(0, some)).square().mean();
      loss.backward();
      for (std::int64_t i = 0; i < parameters.count(); ++i) parameters.collect_gradient(i);
      return loss.detach().to(torch::kFloat64);
    });
  }
  torch::NoGradGuard no_gradients;
  std::vector<Tensor> filled;
  for (const Tensor& some : points_.split(2048)) filled.push_back(network.forward(inputs_at(some)));
  const Tensor result = torch::cat(filled).t().to(torch::kFloat64) * deviation + mean;
  auto shape = grid_.shape();
  shape.insert(shape.begin(), values.size(0));
  return result.reshape(shape);
}

Tensor FieldInterpolation::fill(const Tensor& values) const
{
  const Tensor seen = values.to(torch::kFloat64);
  if (options_.method == Interpolation::ridge) return ridge(seen);
  std::vector<Tensor> groups;
  for (std::int64_t group = 0; group < seen.size(0); ++group)
    groups.push_back(network(seen[group], static_cast<std::uint64_t>(group)));
  return torch::stack(groups);
}

}  // namespace locum::assimilation
