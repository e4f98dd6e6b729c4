#pragma once
#include <torch/torch.h>

#include <array>
#include <utility>
#include <vector>

namespace locum::operators {

using torch::Tensor;

enum class Loss {
  relative_l2,  ///< ‖p − t‖ / ‖t‖
  h1,           ///< the same with values and first derivatives: weighs edges and fine scales more
  mse,          ///< mean of (p − t)²
  bands,        ///< relative_l2 with weights for three bands of wave numbers: periodic data
};

constexpr auto option_names(Loss)
{
  return std::array{std::pair{Loss::relative_l2, "relative_l2"}, std::pair{Loss::h1, "h1"}, std::pair{Loss::mse, "mse"},
                    std::pair{Loss::bands, "bands"}};
}

/// How derivatives are taken, above all at the edges of the grid.
enum class Edges {
  one_sided,  ///< Centrally, at the edges from inside to second order: data need not be periodic.
  periodic,   ///< Centrally: what follows the last point is the first, as in neuraloperator's H1Loss.
  spectral,   ///< By Fourier transform, exact for periodic data.
};

constexpr auto option_names(Edges)
{
  return std::array{std::pair{Edges::one_sided, "one_sided"}, std::pair{Edges::periodic, "periodic"},
                    std::pair{Edges::spectral, "spectral"}};
}

/// What the loss compares: predictions in the units of the data, or normalised ones.
enum class LossSpace { physical, normalised };
constexpr auto option_names(LossSpace)
{
  return std::array{std::pair{LossSpace::physical, "physical"}, std::pair{LossSpace::normalised, "normalised"}};
}

struct LossOptions {
  Loss loss = Loss::relative_l2;
  Edges edges = Edges::one_sided;
  LossSpace space = LossSpace::physical;
  std::vector<double> channels;
  std::vector<double> bands = {1, 1, 1};
  bool latitude = false;
  double residual = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("loss", loss, "relative_l2, h1, mse or bands");
    option("loss_edges", edges, "derivatives of h1: one_sided or periodic differences at the edges, or spectral");
    option("loss_space", space, "physical: in the data's units; normalised: as the network sees them");
    option("loss_channels", channels, "weights of the output channels, each with an error of its own; []: one for all");
    option("loss_bands", bands,
           "bands: weights of wave numbers 0 to 3, 4 to 11 and above, in waves a side of the grid");
    option("loss_latitude", latitude, "weigh points with the cosine of their latitude");
    option("residual", residual,
           "weight of the equation's residual of the prediction, relative to that of 0 (evolving: of no change)");
  }
};

/// Error of each sample, over its channels and points; sums are in float64.
///
/// Each is over all channels together, or with `channels` the weighted sum of those of the channels. bands takes
/// ‖u‖² = Σ_b w_b Σ_{|k| in b} |û_k|² in the numerator. h1 takes ‖u‖² = Σ (u² + |∇u|²) with central differences over
/// spacing 1/n: the domain has unit length along each axis.
/// @param prediction, truth  [batch, channel, (z, y,) x]; for h1 with at least three points an axis
/// @param weights            of the points, [(z, y,) x] or what spreads over it; undefined: all 1. Not for bands.
/// @return                   [batch], float64
/// @throws ShapeError  if the shapes differ, or there are not as many weights as channels.
/// Limits: relative errors of a truth that is 0 everywhere are not finite.
Tensor errors_of(const LossOptions& options, const Tensor& prediction, const Tensor& truth, const Tensor& weights = {});
/// The same for a loss with all else as by default.
Tensor errors_of(Loss loss, const Tensor& prediction, const Tensor& truth, Edges edges = Edges::one_sided);

/// Mean over the batch of these: a float64 number.
Tensor loss_of(Loss loss, const Tensor& prediction, const Tensor& truth, Edges edges = Edges::one_sided);

/// Makes both 0 where the truth is not finite: there is none (land in an ocean), and no error. Means count these
/// points.
/// @param prediction, truth  of one shape; replaced
void leave_out_missing(Tensor& prediction, Tensor& truth);

/// The energy of u in the three bands of wave numbers in which PDEBench reports errors (Takamoto et al. 2022; as its
/// code cuts them): |k| below 4, below 12, and above, in waves a side of the grid.
/// @param values  [batch, channel, (z, y,) x]
/// @return        [band, batch, channel], float64: Σ |û_k|² / points, whose sum over bands is Σ u²
Tensor energy_in_bands(const Tensor& values);

}  // namespace locum::operators
