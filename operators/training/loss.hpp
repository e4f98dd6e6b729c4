#pragma once
#include <torch/torch.h>

#include <array>
#include <utility>

namespace locum::operators {

using torch::Tensor;

enum class Loss {
  relative_l2,  ///< ‖p − t‖ / ‖t‖
  h1,           ///< the same with values and first derivatives: weighs edges and fine scales more
  mse,          ///< mean of (p − t)²
};

constexpr auto option_names(Loss)
{
  return std::array{std::pair{Loss::relative_l2, "relative_l2"}, std::pair{Loss::h1, "h1"},
                    std::pair{Loss::mse, "mse"}};
}

/// How derivatives are taken at the edges of the grid.
enum class Edges {
  one_sided,  ///< From inside, to second order: data need not be periodic.
  periodic,   ///< Centrally: what follows the last point is the first, as in neuraloperator's H1Loss.
};

constexpr auto option_names(Edges)
{
  return std::array{std::pair{Edges::one_sided, "one_sided"}, std::pair{Edges::periodic, "periodic"}};
}

/// Error of each sample, over its channels and points; sums are in float64.
///
/// h1 takes ‖u‖² = Σ (u² + |∇u|²) with central differences over spacing 1/n: the domain has unit length along each
/// axis.
/// @param prediction, truth  [batch, channel, (z, y,) x]; for h1 with at least three points an axis
/// @param edges              what h1 does there; the other losses have no derivatives
/// @return                   [batch], float64
/// @throws ShapeError  if the shapes differ.
/// Limits: relative errors of a truth that is 0 everywhere are not finite.
Tensor errors_of(Loss loss, const Tensor& prediction, const Tensor& truth, Edges edges = Edges::one_sided);

/// Makes both 0 where the truth is not finite: there is none (land in an ocean), and no error. Means count these
/// points.
/// @param prediction, truth  of one shape; replaced
void leave_out_missing(Tensor& prediction, Tensor& truth);

/// Mean over the batch of errors_of(): what training makes small. A float64 number.
Tensor loss_of(Loss loss, const Tensor& prediction, const Tensor& truth, Edges edges = Edges::one_sided);

}  // namespace locum::operators
