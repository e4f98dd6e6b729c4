#pragma once
#include "periodic_equation.hpp"

namespace locum::physics {

struct KortewegDeVriesOptions {
  double length = 2;
  double advection = 1;
  double dispersion = 0.0025;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic domain");
    option("advection", advection, "factor of u ∂u/∂x");
    option("dispersion", dispersion, "factor of ∂³u/∂x³");
  }
};

/// The Korteweg–de Vries equation ∂u/∂t + advection u ∂u/∂x + dispersion ∂³u/∂x³ = 0 on a periodic line. Field "u".
class KortewegDeVries : public PointwiseProducts<KortewegDeVries> {
 public:
  /// @throws OptionError  if length or dispersion is not positive
  explicit KortewegDeVries(KortewegDeVriesOptions options);

  std::string name() const override { return "korteweg_de_vries"; }
  std::vector<std::string> state() const override { return {"u"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// Two solitons of random speed and place, side by side.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 1, products = 1;
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    product[0] = factor[0] * factor[0];
  }

  /// The solitary wave u = 3c/advection sech²(√(c/dispersion)/2 (x − x0)), which travels at speed c, [x]; so narrow
  /// beside the domain that its images do not matter. Source: Drazin & Johnson, Solitons (1989), §1.2.
  Tensor soliton(const Grid& grid, double speed, double centre) const;

 private:
  KortewegDeVriesOptions options_;
};

}  // namespace locum::physics
