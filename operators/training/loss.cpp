#include "loss.hpp"

#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>

namespace locum::operators {

/// ‖values‖ of each sample, [batch].
static Tensor norm_of(const Tensor& values)
{
  return values.flatten(1).norm(2, {1}, /*keepdim=*/false, torch::kFloat64);
}

/// u and its first derivatives side by side: [batch, n] whose norm is that of H¹.
static Tensor with_gradient(const Tensor& u, Edges edges)
{
  std::vector<Tensor> parts = {u.flatten(1)};
  for (std::int64_t axis = 2; axis < u.dim(); ++axis) {
    const double spacing = 1 / static_cast<double>(u.size(axis));
    const Tensor slope = edges == Edges::periodic
                             ? (u.roll(-1, axis) - u.roll(1, axis)) / (2 * spacing)
                             : torch::gradient(u, torch::Scalar(spacing), axis, /*edge_order=*/2)[0];
    parts.push_back(slope.flatten(1));
  }
  return torch::cat(parts, 1);
}

Tensor errors_of(Loss loss, const Tensor& prediction, const Tensor& truth, Edges edges)
{
  if (prediction.sizes() != truth.sizes())
    throw ShapeError({.doing = "comparing a prediction with the truth",
                      .where = "",
                      .found = "a prediction of shape " + to_string(prediction.sizes()),
                      .expected = to_string(truth.sizes()) + ", the truth's",
                      .advice = "a model with as many output channels as the data"});
  const Tensor difference = prediction - truth;
  switch (loss) {
    case Loss::h1:
      return norm_of(with_gradient(difference, edges)) / norm_of(with_gradient(truth, edges));
    case Loss::mse:
      return difference.square().flatten(1).mean(1, /*keepdim=*/false, torch::kFloat64);
    case Loss::relative_l2:
      break;
  }
  return norm_of(difference) / norm_of(truth);
}

void leave_out_missing(Tensor& prediction, Tensor& truth)
{
  const Tensor none = truth.isfinite().logical_not();
  prediction = prediction.masked_fill(none, 0);
  truth = truth.masked_fill(none, 0);
}

Tensor loss_of(Loss loss, const Tensor& prediction, const Tensor& truth, Edges edges)
{
  return errors_of(loss, prediction, truth, edges).mean();
}

}  // namespace locum::operators
