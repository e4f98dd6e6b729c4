#pragma once
#include "periodic_equation.hpp"

namespace locum::physics {

struct SchrodingerOptions {
  double length = 10;
  double interaction = 1;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic domain");
    option("interaction", interaction, "factor of |h|² h; positive: focusing");
  }
};

/// The nonlinear Schrödinger equation i ∂h/∂t + ½ ∂²h/∂x² + interaction |h|² h = 0 on a periodic line.
/// Fields "real" and "imaginary". The default is that of Raissi et al., J. Comput. Phys. 378 (2019), §3.1.1.
class Schrodinger : public PointwiseProducts<Schrodinger> {
 public:
  /// @throws OptionError  if length is not positive
  explicit Schrodinger(SchrodingerOptions options);

  std::string name() const override { return "schrodinger"; }
  std::vector<std::string> state() const override { return {"real", "imaginary"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// Solitons of random height, speed and place.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 2, products = 2;
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    const Value density = factor[0] * factor[0] + factor[1] * factor[1];
    product[0] = density * factor[1];
    product[1] = density * factor[0];
  }

  /// The bright soliton h = a sech(a (x − c)) exp(i v (x − c) + i (a² − v²)/2 t), c = centre + v t, of the focusing
  /// equation with interaction 1; [part, x]. Source: Zakharov & Shabat, Sov. Phys. JETP 34 (1972).
  Tensor soliton(const Grid& grid, double height, double speed, double centre, double time) const;

 private:
  SchrodingerOptions options_;
};

}  // namespace locum::physics
