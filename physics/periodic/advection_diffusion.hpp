#pragma once
#include "periodic_equation.hpp"

namespace locum::physics {

struct AdvectionDiffusionOptions {
  double length = 1;
  std::vector<double> velocity = {1};
  double diffusivity = 0.01;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic domain, along each axis");
    option("velocity", velocity, "along each axis, slowest first");
    option("diffusivity", diffusivity, "factor of Δu");
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
  /// Sums of sine waves of random phase, of one to four periods along each axis.
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
