#pragma once
#include "periodic_equation.hpp"
#include "periodic_random_field.hpp"

namespace locum::physics {

struct Burgers2DOptions {
  double viscosity = 0.01;
  double length = 1;
  double tau = 7;
  double alpha = 2.5;
  double scale = 50;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("viscosity", viscosity, "ν");
    option("length", length, "of the periodic square's side");
    option("tau", tau, "initial states: inverse correlation length, 1 / length");
    option("alpha", alpha, "initial states: smoothness");
    option("scale", scale, "initial states: either component has covariance scale² (−Δ + τ²)^−α");
  }
};

/// Burgers' equation for a velocity in the periodic plane, ∂u/∂t + u·∇u = ν Δu. Field "velocity": along x, y.
class Burgers2D : public PointwiseProducts<Burgers2D> {
 public:
  /// @throws OptionError  if viscosity or length is not positive, or as PeriodicRandomField
  explicit Burgers2D(Burgers2DOptions options);

  std::string name() const override { return "burgers_2d"; }
  std::vector<std::string> state() const override { return {"velocity"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// Independent Gaussian random fields, one a component.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 6, products = 2;
  /// u·∇u of u, v, ∂u/∂x, ∂u/∂y, ∂v/∂x, ∂v/∂y
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    product[0] = factor[0] * factor[2] + factor[1] * factor[3];
    product[1] = factor[0] * factor[4] + factor[1] * factor[5];
  }

 private:
  Burgers2DOptions options_;
  PeriodicRandomField field_;
};

/// Exact solution by the transformation of Cole and Hopf, u = −2ν ∇φ / φ with φ any positive solution of the heat
/// equation: here φ = 3 + cos(kx) exp(−νk²t) + cos(k(x + y)) exp(−2νk²t), k = 2π / length.
/// @return  [component, y, x] at time `time`. Source: Cole, Quart. Appl. Math. 9 (1951).
Tensor burgers_exact(const Burgers2DOptions& options, const Grid& grid, double time);

}  // namespace locum::physics
