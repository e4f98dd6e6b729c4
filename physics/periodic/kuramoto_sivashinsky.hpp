#pragma once
#include <numbers>

#include "periodic_equation.hpp"

namespace locum::physics {

struct KuramotoSivashinskyOptions {
  double length = 32 * std::numbers::pi;
  double advection = 1;
  double second = 1;
  double third = 0;
  double fourth = 1;
  double cubic = 0;
  double mean = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic domain");
    option("advection", advection, "factor of u ∂u/∂x");
    option("second", second, "factor of ∂²u/∂x²");
    option("third", third, "factor of ∂³u/∂x³");
    option("fourth", fourth, "factor of ∂⁴u/∂x⁴");
    option("cubic", cubic, "factor of u² ∂u/∂x");
    option("mean", mean, "deviation of the means of random initial states; an equation without sources keeps them");
  }
};

/// The Kuramoto–Sivashinsky equation, with a factor to every term,
///     ∂u/∂t + advection u ∂u/∂x + second ∂²u/∂x² + third ∂³u/∂x³ + fourth ∂⁴u/∂x⁴ + cubic u² ∂u/∂x = 0,
/// on a periodic line. Field "u". Chaotic for long domains: about length / 11 positive Lyapunov exponents.
///
/// Sources: Kuramoto & Tsuzuki, Prog. Theor. Phys. 55 (1976); Sivashinsky, Acta Astronaut. 4 (1977). The factors are
/// those of Mojgani et al., Chaos 32 (2022), where models lack terms.
class KuramotoSivashinsky : public PointwiseProducts<KuramotoSivashinsky> {
 public:
  /// @throws OptionError  if length is not positive
  explicit KuramotoSivashinsky(KuramotoSivashinskyOptions options);

  std::string name() const override { return "kuramoto_sivashinsky"; }
  std::vector<std::string> state() const override { return {"u"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// The longest eight waves with amplitudes of about 0.1: to be advanced for 100 or so before they are typical.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 1, products = 1;
  /// advection u²/2 + cubic u³/3
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    const Value& u = factor[0];
    product[0] = u * u * (half_advection_ + third_of_cubic_ * u);
  }

 private:
  KuramotoSivashinskyOptions options_;
  double half_advection_, third_of_cubic_;
};

}  // namespace locum::physics
