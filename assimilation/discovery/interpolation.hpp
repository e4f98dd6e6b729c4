#pragma once
#include <locum/core/sample.hpp>

#include <array>
#include <cstdint>
#include <utility>

namespace locum::assimilation {

/// What makes a field of values at scattered points.
enum class Interpolation {
  ridge,   ///< The combination of random Fourier features that fits best and is smooth.
  network  ///< A network of coordinates: the same features, layers of tanh, trained by Adam.
};
constexpr auto option_names(Interpolation)
{
  return std::array{std::pair{Interpolation::ridge, "ridge"}, std::pair{Interpolation::network, "network"}};
}

struct InterpolationOptions {
  Interpolation method = Interpolation::ridge;
  std::int64_t features = 3000;
  double scale = 0.165;
  double smoothness = 4;
  std::int64_t width = 128;
  std::int64_t layers = 3;
  std::int64_t steps = 3000;
  double rate = 2e-3;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("method", method, "ridge or network: what fills in between sensors");
    option("features", features,
           "random wave vectors b, of the box's: features cos 2πb·x and sin 2πb·x; 0 (network): x itself");
    option("scale", scale, "standard deviation of b along each axis, times the mean distance of sensors");
    option("smoothness", smoothness, "ridge: features count less by (1 + (|b| / deviation)²)^−smoothness in variance");
    option("width", width, "network: of its hidden layers");
    option("layers", layers, "network: hidden ones");
    option("steps", steps, "network: of training");
    option("rate", rate, "network: of learning, at first");
  }
};

/// Fields on a periodic grid from their values at some of its points, by random Fourier features
///     γ(x) = [cos 2πb_i·x, sin 2πb_i·x],   b_i normal, of those of the box, none twice.
/// Source: Tancik et al., NeurIPS 33 (2020): without them a network of coordinates does not learn what is small.
///
/// The ridge fit minimises |values − Σ w γ|² + λ Σ (w / size)², which for many features is kriging with a covariance
/// whose spectrum is a Gaussian's times (1 + (|b| / deviation)²)^−smoothness. λ is, of powers of ten, the one that says
/// best what a tenth of the sensors saw, when these are left out. It is linear but for the choice of λ, and takes
/// seconds: sensors³ operations, sensors² numbers. The network takes minutes a group of fields.
class FieldInterpolation {
 public:
  /// @param sensors  places in the flattened grid, int64 [sensor]
  /// @param seed     of features, weights, and of what is left out
  /// @throws OptionError  if the grid is not periodic, options are out of range, or sensors fewer than ten
  FieldInterpolation(const Grid& grid, Tensor sensors, const InterpolationOptions& options, std::uint64_t seed);

  /// @param values  at the sensors, [group, field, sensor]: ridge fits have one λ for a field of all groups, networks
  ///                are one a group
  /// @return        float64 [group, field, (z, y,) x]
  Tensor fill(const Tensor& values) const;

 private:
  Tensor features(const Tensor& positions) const;
  Tensor covariance(const Tensor& from, const Tensor& to) const;
  Tensor ridge(const Tensor& values) const;
  Tensor network(const Tensor& values, std::uint64_t group) const;

  Grid grid_;
  Tensor sensors_;
  InterpolationOptions options_;
  std::uint64_t seed_;
  Tensor points_;   // of the grid, [point, dimension]
  Tensor vectors_;  // b, [feature, dimension]
  Tensor sizes_;    // of the ridge's weights, [feature]; their squares sum to 1
};

}  // namespace locum::assimilation
