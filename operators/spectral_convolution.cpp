#include "spectral_convolution.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <numbers>

namespace locum::operators {

SpectralConvolution::SpectralConvolution(std::int64_t input_channels, std::int64_t output_channels,
                                         std::vector<Band> bands, RandomStream& weights)
    : bands_(std::move(bands))
{
  std::vector<std::int64_t> shape;
  for (const Band& band : bands_) shape.push_back(band.count());
  shape.insert(shape.end(), {2, input_channels, output_channels});
  const double deviation = std::sqrt(1.0 / static_cast<double>(input_channels + output_channels));
  weight_ = register_parameter("weight", (weights.normal(shape) * deviation).to(torch::kFloat32));
}

const SpectralConvolution::Matrices& SpectralConvolution::matrices(std::size_t axis, std::int64_t points,
                                                                   const torch::TensorOptions& type)
{
  const auto key = std::tuple(axis, points, torch::typeMetaToScalarType(type.dtype()), type.device().str());
  if (const auto found = matrices_.find(key); found != matrices_.end()) return found->second;

  const Band band = bands_[axis];
  const std::int64_t enough = axis == 0 ? 2 * band.highest : band.count();
  if (points < enough)
    throw ShapeError(
        {.doing = "applying a Fourier layer",
         .where = fmt::format("axis {}", "xyz"[axis]),
         .found = fmt::format("{} points", points),
         .expected = fmt::format("at least {}, to tell frequencies {} to {} apart", enough, band.lowest, band.highest),
         .advice = "fewer modes along this axis, or a finer grid"});

  const torch::NoGradGuard constant;
  const auto frequency = torch::arange(band.lowest, band.highest + 1).unsqueeze(1);
  const auto turns = torch::remainder(frequency * torch::arange(points), points).to(torch::kFloat64);
  const Tensor angle = turns * (2 * std::numbers::pi / static_cast<double>(points));  // [mode, point]
  const Tensor cosine = angle.cos(), sine = angle.sin();

  // e^{−iφ} (re + i im) = (re cos φ + im sin φ) + i (im cos φ − re sin φ)
  const std::int64_t modes = band.count(), parts = axis == 0 ? 1 : 2;
  const Tensor real = torch::stack({cosine, sine}, 1), imaginary = torch::stack({-sine, cosine}, 1);
  const Tensor rows = torch::stack({real, imaginary}, 1).narrow(2, 0, parts);  // [mode, 2, parts, point]
  const Tensor analysis = rows.reshape({2 * modes, parts * points});

  Tensor weight = torch::ones_like(frequency, torch::kFloat64);
  if (axis == 0)  // a frequency speaks for its conjugate, too, but for those that are their own
    weight.masked_fill_((frequency != 0).logical_and(2 * frequency != points), 2);
  const Tensor synthesis = (weight.expand({modes, 2}).reshape({2 * modes, 1}) * analysis).t().contiguous();

  return matrices_[key] = {.analysis = (analysis / points).to(type), .synthesis = synthesis.to(type)};
}

Tensor SpectralConvolution::forward(const Tensor& values)
{
  const std::size_t axes = bands_.size();
  const std::int64_t batch = values.size(-2), input_channels = values.size(-1);
  const std::int64_t output_channels = weight_.size(-1);
  std::vector<Matrices> axis;
  for (std::size_t a = 0; a < axes; ++a)
    axis.push_back(matrices(a, values.size(static_cast<std::int64_t>(a)), values.options()));

  std::int64_t modes = 1;  // of the axes already transformed
  Tensor v = values;
  for (std::size_t a = 0; a < axes; ++a) {
    const Tensor& F = axis[a].analysis;
    v = torch::bmm(F.expand({modes, -1, -1}), v.reshape({modes, F.size(1), -1}));
    modes *= bands_[a].count();
  }

  // R v = Re R v + Im R (i v), both in one product
  v = v.view({modes, 2, batch, input_channels});
  const Tensor iv = torch::stack({-v.select(1, 1), v.select(1, 0)}, 1);
  v = torch::bmm(torch::cat({v, iv}, -1).view({modes, 2 * batch, 2 * input_channels}),
                 weight_.view({modes, 2 * input_channels, output_channels}));

  for (std::size_t a = axes; a-- > 0;) {
    modes /= bands_[a].count();
    const Tensor& inverse = axis[a].synthesis;
    v = torch::bmm(inverse.expand({modes, -1, -1}), v.view({modes, inverse.size(1), -1}));
  }
  auto shape = values.sizes().vec();
  shape.back() = output_channels;
  return v.view(shape);
}

Tensor spectral_convolution_by_fft(const Tensor& values, const Tensor& weight, const std::vector<Band>& bands)
{
  const auto axes = static_cast<std::int64_t>(bands.size());
  std::vector<std::int64_t> dimensions, points;  // axis 0 last: it is the one of which half is computed
  for (std::int64_t a = axes; a-- > 0;) {
    dimensions.push_back(a);
    points.push_back(values.size(a));
  }
  const Tensor spectrum = torch::fft_rfftn(values, c10::nullopt, dimensions, "forward");

  std::vector<torch::indexing::TensorIndex> kept;  // negative frequencies are the last of an axis
  for (std::int64_t a = 0; a < axes; ++a) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(axes), 1);
    shape[static_cast<std::size_t>(a)] = -1;
    const Band band = bands[static_cast<std::size_t>(a)];
    const auto frequency = torch::arange(band.lowest, band.highest + 1, torch::kInt64);
    kept.emplace_back(torch::remainder(frequency, values.size(a)).reshape(shape).to(values.device()));
  }
  const Tensor R = torch::complex(weight.select(axes, 0), weight.select(axes, 1));
  const Tensor mixed = torch::einsum("...bi,...io->...bo", {spectrum.index(kept), R});

  auto shape = spectrum.sizes().vec();
  shape.back() = weight.size(-1);
  Tensor result = torch::zeros(shape, spectrum.options());
  result.index_put_(kept, mixed);
  return torch::fft_irfftn(result, points, dimensions, "forward");
}

}  // namespace locum::operators
