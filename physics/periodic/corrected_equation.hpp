#pragma once
#include <string>
#include <vector>

#include "../formula.hpp"
#include "periodic_equation.hpp"

namespace locum::physics {

/// A term more on the right-hand side of the equation of `field`.
struct Correction {
  std::string field;
  double coefficient = 0;
  Formula term;
};

/// An equation and further terms: ∂u/∂t = what the equation says + Σ coefficient · term.
///
/// Terms are multiplied out (Formula::expand()). What is linear in the state joins the linear part, which solvers
/// integrate exactly; what does not depend on it the forcing; products are formed at points. They are dealiased as the
/// equation's own.
class CorrectedEquation : public PeriodicEquation {
 public:
  /// @param base  must outlive this object; its fields are of one component
  /// @param grid  any of the equation's: its axes are what terms may speak of
  /// @throws OptionError  if a correction is of no field of the state, or its term as Formula::expand()
  CorrectedEquation(const PeriodicEquation& base, const std::vector<Correction>& corrections, const Grid& grid);

  std::string name() const override { return base_.name() + ", corrected"; }
  std::vector<std::string> state() const override { return base_.state(); }
  Grid grid(const std::vector<std::int64_t>& cells) const override { return base_.grid(cells); }
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override
  {
    return base_.draw(grid, seed, first, count);
  }
  FourierForm form(const Grid& grid) const override;
  std::vector<DiagnosticField> diagnostics(const Grid& grid) const override { return base_.diagnostics(grid); }

  void multiply(const double* const* factors, double* const* products, std::int64_t points) const override;
  void multiply(const float* const* factors, float* const* products, std::int64_t points) const override;
  std::vector<Tensor> multiply(const std::vector<Tensor>& factors) const override;

 private:
  template <class Number>
  void multiply_numbers(const Number* const* factors, Number* const* products, std::int64_t points) const;

  const PeriodicEquation& base_;
  std::vector<Polynomial> linear_, given_;          // by field of the state; without products, without the state
  std::vector<Factor> factors_;                     // of the products
  std::vector<std::vector<std::size_t>> products_;  // their factors
  std::vector<std::vector<double>> coefficients_;   // [field][product]
};

}  // namespace locum::physics
