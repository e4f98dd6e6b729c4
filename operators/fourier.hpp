#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "operator.hpp"
#include "pointwise.hpp"
#include "spectral_convolution.hpp"
#include "workspace.hpp"

namespace locum::operators {

/// What an entry m of `modes` stands for; k counts whole periods along the axis.
enum class ModeCount {
  per_side,  ///< As published: k = −m … m−1, along the last axis 0 … m−1.
  total,     ///< As neuraloperator counts: k = −⌊m/2⌋ … ⌈m/2⌉−1, along the last axis 0 … ⌊m/2⌋.
};

constexpr auto option_names(ModeCount)
{
  return std::array{std::pair{ModeCount::per_side, "per_side"}, std::pair{ModeCount::total, "total"}};
}

/// What features are scaled by to mean 0 and variance 1, sample by sample.
enum class FeatureNorm {
  none,
  instance,  ///< Each channel by its own statistics over the grid.
  group,     ///< All channels together, then a learned scale and shift a channel.
};

constexpr auto option_names(FeatureNorm)
{
  return std::array{std::pair{FeatureNorm::none, "none"}, std::pair{FeatureNorm::instance, "instance"},
                    std::pair{FeatureNorm::group, "group"}};
}

/// Architecture of a Fourier neural operator. The defaults are the published one (2-D Darcy); neuraloperator 2.0's
/// default of width w is mode_count = total, lifting_hidden = projection_hidden = 2w, channel_mlp_hidden = w/2.
struct FourierOptions {
  std::vector<std::int64_t> modes = {12, 12};  ///< Kept per axis, slowest first; one entry an axis.
  ModeCount mode_count = ModeCount::per_side;
  std::int64_t width = 32;  ///< Channels inside; the first thing to raise.
  std::int64_t layers = 4;
  std::int64_t lifting_hidden = 0;
  std::int64_t projection_hidden = 128;
  std::int64_t channel_mlp_hidden = 0;
  bool coordinates = true;
  double padding = 0;  ///< For data that are not periodic: .1 keeps their edges from meeting.
  FeatureNorm norm = FeatureNorm::none;
  Activation activation = Activation::gelu;
  bool activate_twice = false;  ///< σ(σ(v)) in layers without a channel MLP, as neuraloperator 2.0 has it.
  Kernel kernel = Kernel::automatic;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("modes", modes, "Fourier modes kept along each axis, slowest axis first");
    option("mode_count", mode_count, "modes are counted per_side (as published) or in total (as neuraloperator does)");
    option("width", width, "channels inside the network");
    option("layers", layers, "Fourier layers");
    option("lifting_hidden", lifting_hidden, "hidden channels of the lifting; 0: it is linear");
    option("projection_hidden", projection_hidden, "hidden channels of the projection; 0: it is linear");
    option("channel_mlp_hidden", channel_mlp_hidden, "hidden channels of a network after each Fourier layer; 0: none");
    option("coordinates", coordinates, "give the network the position of each point");
    option("padding", padding, "zeros added behind each axis inside the network, as a fraction of its points");
    option("norm", norm, "of features: none, instance or group");
    option("activation", activation, "gelu, relu or tanh");
    option("activate_twice", activate_twice, "layers without a channel network end in σ(σ(v)), as neuraloperator's do");
    option("kernel", kernel, "auto, fused (own kernels; GELU, no norm, CPU) or reference (libtorch's operations)");
  }
};

class FourierLayer;

/// Fourier neural operator on a uniform grid of one, two or three axes.
///
/// Lifts input and coordinates to `width` channels, applies `layers` times
///     v ← σ(W v + b + F⁻¹(R · F v)),                    no σ in the last layer,
/// R acting on the frequencies kept by `modes`, and projects. With `channel_mlp_hidden` each layer goes on with
///     v ← σ(MLP(v) + g ⊙ u),                            u: what came into the layer,
/// its first σ then staying in every layer but the last, too. A norm acts on F⁻¹(R · F v) and on MLP(v) + g ⊙ u.
/// Position is i/n along an axis of n points, slowest axis first. Weights do not depend on the grid: the operator
/// may be evaluated on any grid that resolves its modes. Without coordinates and padding it commutes with translations.
///
/// On the CPU, with GELU and without a norm, all layers are evaluated in one go by `kernels/fourier_layers.hpp`; else,
/// and for second derivatives, by libtorch's operations. `kernel` = fused makes that an error, reference the rule.
///
/// Constructing draws from the stream given and touches no global generator; weights are float32 until to(float64).
/// Not to be evaluated by two threads at the same time.
/// Limits: assumes periodicity, pad other data; not for scattered points.
/// Source: Li et al., ICLR 2021, "Fourier layer"; Kovachki et al., JMLR 24 (2023).
class FourierOperator : public Operator {
 public:
  /// @throws OptionError  if a size is not positive, `modes` has not one to three entries, or `kernel` is fused and
  ///                      activation or norm are not what the kernels have.
  FourierOperator(FourierOptions options, std::int64_t input_channels, std::int64_t output_channels,
                  RandomStream weights);

  /// @param input  [batch, input_channels, (z, y,) x], float32 or float64 like the weights.
  /// @return       [batch, output_channels, (z, y,) x]
  /// @throws ShapeError   if channels or axes differ from the options, or an axis does not resolve the modes.
  /// @throws OptionError  if `kernel` is fused and the input is not on the CPU.
  Tensor forward(const Tensor& input) override;
  /// Source: George et al., "Incremental spectral learning in Fourier neural operator", TMLR 2024.
  void keep_modes(double part, bool clear) override;

  const FourierOptions& options() const noexcept { return options_; }

 private:
  Tensor with_coordinates(const Tensor& values);
  Tensor layers_in_one(const Tensor& values);
  bool fuses_layers(const Tensor& values) const;

  FourierOptions options_;
  std::int64_t input_channels_;
  Tensor positions_;                               // on the last grid there was: [1, (z, y,) x, axis]
  c10::intrusive_ptr<TransformCache> transforms_;  // of the frequencies that are kept now
  c10::intrusive_ptr<Workspace> workspace_ = c10::make_intrusive<Workspace>();
  std::shared_ptr<PointwiseNetwork> lifting_;
  std::vector<std::shared_ptr<FourierLayer>> layers_;
  std::shared_ptr<PointwiseNetwork> projection_;
};

}  // namespace locum::operators
