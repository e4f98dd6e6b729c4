#pragma once
#include <memory>

#include "periodic_equation.hpp"
#include "periodic_random_field.hpp"

namespace locum::physics {

struct BurgersOptions {
  double viscosity = 0.1;
  double length = 1;
  double tau = 5;
  double alpha = 2;
  double scale = 25;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("viscosity", viscosity, "ν");
    option("length", length, "of the periodic domain");
    option("tau", tau, "initial states: inverse correlation length, 1 / length");
    option("alpha", alpha, "initial states: smoothness");
    option("scale", scale, "initial states: they have covariance scale² (−Δ + τ²)^−α");
  }
};

/// Burgers' equation ∂u/∂t + ∂(u²/2)/∂x = ν ∂²u/∂x² on a periodic line. Field "u".
///
/// The defaults, and random initial states, are those of Li et al., ICLR 2021, §5.1.
class Burgers : public PointwiseProducts<Burgers> {
 public:
  /// @throws OptionError  if viscosity or length is not positive, or as PeriodicRandomField
  explicit Burgers(BurgersOptions options);

  std::string name() const override { return "burgers"; }
  std::vector<std::string> state() const override { return {"u"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 1, products = 1;
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    product[0] = factor[0] * factor[0];
  }

 private:
  BurgersOptions options_;
  PeriodicRandomField field_;
};

/// Exact solution by the Cole–Hopf transformation: u = −2ν φ_x / φ with φ = 2 + cos(kx) exp(−νk²t), k = 2π / length.
/// @return  [x] at time `time`. Source: Cole, Quart. Appl. Math. 9 (1951).
Tensor burgers_exact(const BurgersOptions& options, const Grid& grid, double time);

}  // namespace locum::physics
