#pragma once
#include <array>
#include <utility>
#include <vector>

#include "periodic_equation.hpp"

namespace locum::physics {

/// Random states that are drawn.
enum class AdvectedStates {
  smooth,    ///< Sums of sine waves of one to four periods along each axis.
  pdebench,  ///< On a line, as PDEBench (Takamoto et al., NeurIPS 2022) draws them: two sine waves of one to eight
             ///< periods; of ten states one is folded to its absolute value, and one cut off beyond a window.
};
constexpr auto option_names(AdvectedStates)
{
  return std::array{std::pair{AdvectedStates::smooth, "smooth"}, std::pair{AdvectedStates::pdebench, "pdebench"}};
}

struct AdvectionDiffusionOptions {
  double length = 1;
  std::vector<double> velocity = {1};
  double diffusivity = 0.01;
  AdvectedStates states = AdvectedStates::smooth;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic domain, along each axis");
    option("velocity", velocity, "along each axis, slowest first");
    option("diffusivity", diffusivity, "factor of Δu");
    option("states", states, "drawn at random: smooth, or on a line pdebench, some of which have kinks and fronts");
  }
};

/// ∂u/∂t + velocity·∇u = diffusivity Δu on a periodic line, square or cube. Field "u". Solved exactly whatever the
/// step.
class AdvectionDiffusion : public PointwiseProducts<AdvectionDiffusion> {
 public:
  /// @throws OptionError  if length is not positive, diffusivity negative, or velocity not of one to three axes
  explicit AdvectionDiffusion(AdvectionDiffusionOptions options);

  std::string name() const override { return "advection_diffusion"; }
  std::vector<std::string> state() const override { return {"u"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// As AdvectedStates says, amplitudes up to 1 and phases uniform.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 1, products = 1;  // times zero: the equation is linear
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    product[0] = factor[0];
  }

 private:
  AdvectionDiffusionOptions options_;
};

}  // namespace locum::physics
