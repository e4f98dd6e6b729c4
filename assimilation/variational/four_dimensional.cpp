#include "four_dimensional.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/operators/training/optimisers/lbfgs.hpp>

#include <cmath>

namespace locum::assimilation {

namespace {

/// The control vector as what an optimiser moves.
struct Control : torch::nn::Module {
  explicit Control(std::int64_t size) { w = register_parameter("w", torch::zeros({size}, torch::kFloat64)); }
  Tensor w;
};

/// The innovations' part of J: values and gradient are computed with matrices, and handed to autograd.
class Misfit : public torch::autograd::Function<Misfit> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& state, const Tensor& gradient,
                        const Tensor& value)
  {
    context->save_for_backward({gradient, state});
    return value.clone();
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients)
  {
    const auto saved = context->get_saved_variables();
    return {gradients[0] * saved[0].view_as(saved[1]), Tensor(), Tensor()};
  }
};

}  // namespace

FourDimensional::FourDimensional(Matrix background, std::int64_t window, std::int64_t iterations)
    : root_(background / std::sqrt(static_cast<double>(background.rows() - 1))),
      window_(window),
      iterations_(iterations)
{
  if (window < 1)
    throw OptionError({.doing = "setting up 4D-Var",
                       .where = "assimilation.lag",
                       .found = fmt::format("{}", window),
                       .expected = "at least 1 observation time",
                       .advice = "lag = 1"});
}

std::string FourDimensional::description() const
{
  return fmt::format("4D-Var, windows of {}, covariance of {} states", window_, root_.rows());
}

std::pair<double, RowVector> FourDimensional::cost(const RowVector& w, const RowVector& start, double time,
                                                   std::span<const Observations> observations,
                                                   const Forecast& forecast) const
{
  const StateLayout& layout = forecast.layout();
  Matrix first = start + w * root_;
  Sample state = layout.unpack(first, time);
  std::vector<Tensor> leaves;
  for (const std::string& field : layout.fields()) {
    Tensor& values = state.fields[field].values;
    values = values.detach().requires_grad_();
    leaves.push_back(values);
  }
  double misfit = 0;
  Tensor total = torch::zeros({}, torch::kFloat64);
  for (const Observations& seen : observations) {
    state = forecast.model().advance(state, seen.time - state.time);
    std::vector<Tensor> parts;
    for (const std::string& field : layout.fields()) parts.push_back(state.field(field).values.flatten(1));
    const Tensor row = torch::cat(parts, 1).to(torch::kFloat64);
    if (!row.requires_grad())
      throw SolverError({.doing = "differentiating a forecast",
                         .where = forecast.model().description(),
                         .found = "a solver whose advance() has no gradient",
                         .expected = "one that computes in libtorch's operations when gradients are asked for",
                         .advice = "filter = \"ienks\", which needs none"});
    const RowVector values = as_matrix(row.detach()).row(0);
    const Matrix innovation = seen.values - seen.network->instruments->observe(values).row(0);
    const RowVector weighted = seen.network->error.weigh(innovation).row(0);
    const double here = 0.5 * weighted.dot(innovation.row(0));
    misfit += here;
    const Matrix gradient = -seen.network->instruments->gradient(values, weighted);  // −H′ᵀ R⁻¹ (y − H x)
    total = total + Misfit::apply(row, as_tensor(gradient).clone(), torch::tensor(here, torch::kFloat64));
  }
  const auto gradients = torch::autograd::grad({total}, leaves);
  std::vector<Tensor> parts;
  for (const Tensor& gradient : gradients) parts.push_back(gradient.flatten(1));
  const RowVector of_state = as_matrix(torch::cat(parts, 1)).row(0);
  return {0.5 * w.squaredNorm() + misfit, w + of_state * root_.transpose()};
}

RowVector FourDimensional::trajectory_end(const RowVector& start, double time,
                                          std::span<const Observations> observations, const Forecast& forecast,
                                          std::int64_t number) const
{
  Matrix state = start;
  for (const Observations& seen : observations) {
    state = forecast.advance(state, time, seen.time - time, number);
    time = seen.time;
  }
  return state.row(0);
}

Analysis FourDimensional::cycle(const Matrix& members, double time, std::span<const Observations> observations,
                                const Forecast& forecast, std::int64_t number)
{
  const RowVector start = members.row(0);
  Control control(root_.rows());
  operators::Parameters parameters(control);
  operators::Lbfgs optimiser(parameters);
  double last = 0;
  const auto evaluate = [&] {
    const RowVector w = as_matrix(control.w.detach().view({1, -1})).row(0);
    const auto [value, gradient] = cost(w, start, time, observations, forecast);
    parameters.gradients.zero_();
    parameters.part(parameters.gradients, 0).copy_(as_tensor(Matrix(gradient)).view({-1}));
    last = value;
    return torch::tensor(value, torch::kFloat64);
  };
  double before = 0;
  for (std::int64_t i = 0; i < iterations_; ++i) {
    optimiser.step(1.0, evaluate);
    if (!std::isfinite(last))
      throw SolverError({.doing = fmt::format("minimising 4D-Var's cost in cycle {}", number),
                         .where = forecast.model().description(),
                         .found = "a cost that is not finite",
                         .expected = "a background whose trajectory is",
                         .advice = "a shorter window: lag = 1"});
    if (i > 0 && before - last <= 1e-8 * std::abs(last)) break;
    before = last;
  }
  const RowVector w = as_matrix(control.w.detach().view({1, -1})).row(0);
  Analysis result;
  result.forecast = trajectory_end(start, time, observations, forecast, number);
  result.smoothed = start + w * root_;
  result.smoothed_before = static_cast<std::int64_t>(observations.size());
  result.members = trajectory_end(result.smoothed.row(0), time, observations, forecast, number);
  return result;
}

}  // namespace locum::assimilation
