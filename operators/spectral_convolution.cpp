#include "spectral_convolution.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <algorithm>

#include "kernels/mixing.hpp"

namespace locum::operators {

template <class T>
kernels::Transform<T>& TransformCache::of(const Tensor& values)
{
  auto& cache = [this]() -> Cache<T>& {
    if constexpr (std::is_same_v<T, float>) return float_;
    else return double_;
  }();
  auto grid = grid_of(values);
  auto& found = cache[grid];
  if (!found) found = std::make_unique<kernels::Transform<T>>(grid, std::vector<Band>(bands_.rbegin(), bands_.rend()));
  return *found;
}

template kernels::Transform<float>& TransformCache::of(const Tensor&);
template kernels::Transform<double>& TransformCache::of(const Tensor&);

bool TransformCache::is_faster() const
{
  // Products take time in proportion to the frequencies, libtorch's FFT less: on 4096 points they meet at about this
  // many, on 1024 never (docs/performance.md).
  constexpr std::int64_t break_even = 400;
  return std::all_of(bands_.begin(), bands_.end(), [](const Band& band) { return band.highest < break_even; });
}

void check_resolution(const Tensor& values, const std::vector<Band>& bands)
{
  for (std::size_t axis = 0; axis < bands.size(); ++axis) {
    const Band band = bands[axis];
    const std::int64_t points = values.size(-2 - static_cast<std::int64_t>(axis));
    const std::int64_t enough = axis == 0 ? std::max<std::int64_t>(2 * band.highest, 1) : band.count();
    if (points < enough)
      throw ShapeError({.doing = "applying a Fourier layer",
                        .where = fmt::format("axis {}", "xyz"[axis]),
                        .found = fmt::format("{} points", points),
                        .expected = fmt::format("at least {}, to tell frequencies {} to {} apart", enough, band.lowest,
                                                band.highest),
                        .advice = "fewer modes along this axis, or a finer grid"});
  }
}

namespace {

class Convolution : public torch::autograd::Function<Convolution> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& values, const Tensor& weight,
                        const c10::intrusive_ptr<TransformCache>& transforms)
  {
    const Tensor v = values.contiguous(), R = weight.contiguous();
    const std::int64_t batch = v.size(0), inputs = v.size(-1), outputs = R.size(-1);
    auto shape = v.sizes().vec();
    shape.back() = outputs;
    const Tensor result = torch::empty(shape, v.options());
    Tensor spectrum;
    with_type_of(v, [&]<class T>(T) {
      auto& transform = transforms->of<T>(v);
      spectrum = torch::empty({batch * transform.modes() * 2 * inputs}, v.options());
      const Tensor room = torch::empty({batch * transform.modes() * 2 * outputs}, v.options());
      kernels::convolve<T>(kernels::instructions<T>(), transform, at::get_num_threads(), batch, inputs, outputs,
                           R.data_ptr<T>(), v.data_ptr<T>(), result.data_ptr<T>(), spectrum.data_ptr<T>(),
                           room.data_ptr<T>());
    });
    context->save_for_backward({values, weight, spectrum});
    context->saved_data["transforms"] = c10::IValue::make_capsule(transforms);
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list d_result)
  {
    const auto saved = context->get_saved_variables();
    const Tensor &values = saved[0], &weight = saved[1], &spectrum = saved[2];
    const auto transforms =
        c10::static_intrusive_pointer_cast<TransformCache>(context->saved_data["transforms"].toCapsule());
    if (torch::GradMode::is_enabled()) {
      auto all = differentiate({values, weight}, d_result[0], [&](const auto& inputs) {
        return spectral_convolution_by_fft(inputs[0], inputs[1], transforms->bands());
      });
      all.push_back({});
      return all;
    }
    const Tensor d = d_result[0].contiguous(), R = weight.contiguous();
    const std::int64_t batch = d.size(0), inputs = values.size(-1), outputs = R.size(-1);
    const Tensor d_values = values.requires_grad() ? torch::empty(values.sizes(), d.options()) : Tensor();
    const Tensor d_weight = weight.requires_grad() ? torch::empty(R.sizes(), d.options()) : Tensor();
    with_type_of(d, [&]<class T>(T) {
      auto& transform = transforms->of<T>(d);
      const Tensor room = torch::empty({batch * transform.modes() * 2 * (inputs + outputs)}, d.options());
      const auto pointer = [](const Tensor& t) { return t.defined() ? t.data_ptr<T>() : nullptr; };
      kernels::convolve_backward<T>(kernels::instructions<T>(), transform, at::get_num_threads(), batch, inputs,
                                    outputs, R.data_ptr<T>(), spectrum.data_ptr<T>(), d.data_ptr<T>(),
                                    pointer(d_weight), pointer(d_values), room.data_ptr<T>());
    });
    return {d_values, d_weight, {}};
  }
};

}  // namespace

SpectralConvolution::SpectralConvolution(std::int64_t input_channels, std::int64_t output_channels,
                                         c10::intrusive_ptr<TransformCache> transforms, RandomStream& weights,
                                         Kernel kernel)
    : transforms_(std::move(transforms)), bands_(transforms_->bands()), kernel_(kernel)
{
  std::vector<std::int64_t> shape;
  for (const Band& band : transforms_->bands()) shape.push_back(band.count());
  shape.insert(shape.end(), {2, input_channels, output_channels});
  const double deviation = std::sqrt(1.0 / static_cast<double>(input_channels + output_channels));
  weight_ = register_parameter("weight", (weights.normal(shape) * deviation).to(torch::kFloat32));
}

Tensor SpectralConvolution::weight() const
{
  Tensor kept = weight_;
  for (std::size_t i = 0; i < bands_.size(); ++i) {
    const Band band = transforms_->bands()[i];
    if (band.count() < bands_[i].count())
      kept = kept.narrow(static_cast<std::int64_t>(i), band.lowest - bands_[i].lowest, band.count());
  }
  return kept.contiguous();
}

void SpectralConvolution::keep(c10::intrusive_ptr<TransformCache> kept, bool clear)
{
  transforms_ = std::move(kept);
  if (!clear) return;
  torch::NoGradGuard no_gradients;
  Tensor part = weight_;
  for (std::size_t i = 0; i < bands_.size(); ++i)
    part = part.narrow(static_cast<std::int64_t>(i), transforms_->bands()[i].lowest - bands_[i].lowest,
                       transforms_->bands()[i].count());
  const Tensor values = part.clone();
  weight_.zero_();
  part.copy_(values);
}

Tensor SpectralConvolution::forward(const Tensor& values)
{
  check_resolution(values, transforms_->bands());
  const bool ours = kernel_ == Kernel::fused || (kernel_ == Kernel::automatic && transforms_->is_faster());
  if (ours && kernels_take(values)) return Convolution::apply(values, weight(), transforms_);
  return spectral_convolution_by_fft(values, weight(), transforms_->bands());
}

Tensor spectral_convolution_by_fft(const Tensor& values, const Tensor& weight, const std::vector<Band>& bands)
{
  const auto axes = static_cast<std::int64_t>(bands.size());
  std::vector<std::int64_t> dimensions, points;  // x last: it is the one of which half is computed
  for (std::int64_t dimension = 1; dimension <= axes; ++dimension) {
    dimensions.push_back(dimension);
    points.push_back(values.size(dimension));
  }
  // There are no transforms of bfloat16.
  const Tensor spectrum = torch::fft_rfftn(values.to(weight.scalar_type()), c10::nullopt, dimensions, "forward");

  std::vector<torch::indexing::TensorIndex> kept;  // negative frequencies are the last of an axis
  kept.emplace_back(torch::indexing::Slice());
  for (std::int64_t dimension = 1; dimension <= axes; ++dimension) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(axes), 1);
    shape[static_cast<std::size_t>(dimension - 1)] = -1;
    const Band band = bands[static_cast<std::size_t>(axes - dimension)];
    const auto frequency = torch::arange(band.lowest, band.highest + 1, torch::kInt64);
    kept.emplace_back(torch::remainder(frequency, values.size(dimension)).reshape(shape).to(values.device()));
  }
  std::vector<std::int64_t> turned;  // the weights' axes, slowest of the grid first
  for (std::int64_t axis = axes; axis-- > 0;) turned.push_back(axis);
  turned.insert(turned.end(), {axes, axes + 1});
  const Tensor R = torch::complex(weight.select(axes, 0), weight.select(axes, 1)).permute(turned);
  const Tensor mixed = torch::einsum("b...i,...io->b...o", {spectrum.index(kept), R});

  auto shape = spectrum.sizes().vec();
  shape.back() = weight.size(-1);
  Tensor result = torch::zeros(shape, spectrum.options());
  result.index_put_(kept, mixed);
  return torch::fft_irfftn(result, points, dimensions, "forward");
}

}  // namespace locum::operators
