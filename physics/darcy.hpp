#pragma once
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "equation.hpp"
#include "gaussian_random_field.hpp"

namespace locum::physics {

/// How a random permeability comes from a Gaussian field.
enum class Permeability { threshold, lognormal };
constexpr auto option_names(Permeability)
{
  return std::array{std::pair{Permeability::threshold, "threshold"}, std::pair{Permeability::lognormal, "lognormal"}};
}

/// Darcy flow and its random permeabilities; the defaults are those of the Fourier neural operator papers.
struct DarcyOptions {
  Permeability permeability = Permeability::threshold;
  double low = 3;        ///< Where the Gaussian field is negative (threshold).
  double high = 12;      ///< Elsewhere (threshold).
  double deviation = 1;  ///< Of the logarithm of the permeability (lognormal); its median is 1.
  double tau = 3;        ///< Inverse correlation length of the Gaussian field, 1 / side of the square.
  double alpha = 2;      ///< Its smoothness.
  double forcing = 1;    ///< f, where a problem has no field "forcing" of its own.

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("permeability", permeability, "threshold: two values; lognormal: exp of a Gaussian field");
    option("low", low, "permeability where the Gaussian field is negative (threshold)");
    option("high", high, "permeability elsewhere (threshold)");
    option("deviation", deviation, "standard deviation of log permeability (lognormal)");
    option("tau", tau, "inverse correlation length of the Gaussian field");
    option("alpha", alpha, "smoothness of the Gaussian field, more than 1");
    option("forcing", forcing, "right-hand side f");
  }
};

/// Darcy flow in the unit square, dimensionless:
///     −∇·(a ∇u) = f   in (0, 1)²,      u = 0   on its edge.
///
/// Fields, all of unit "1" and shape [batch, 1, y, x], at the centres of equal cells:
///   permeability  a > 0   given
///   forcing       f       given; where a problem has none, f is DarcyOptions::forcing everywhere
///   pressure      u       sought
///
/// Discretised with finite volumes: the flux through a face is the harmonic mean of the permeabilities beside it times
/// the difference of the pressures over their distance, on the edge the cell's own permeability times its pressure over
/// half a cell. Second order for smooth permeability, first order where it jumps between cells.
class Darcy : public SteadyEquation {
 public:
  /// @throws OptionError  if low, high or deviation is not positive, or the field's tau or alpha is out of range.
  explicit Darcy(DarcyOptions options = {});

  const DarcyOptions& options() const noexcept { return options_; }

  std::string name() const override { return "darcy"; }
  std::vector<std::string> inputs() const override { return {"permeability"}; }
  std::vector<std::string> outputs() const override { return {"pressure"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  /// f + ∇·(a ∇u), [batch, 1, y, x], of the wider type of its arguments.
  /// @throws DataError, ShapeError  as forcing(), and if the pressure's shape is not the permeability's.
  Tensor residual(const Sample& problem, const Sample& solution) const override;

  /// f, [batch, 1, y, x].
  /// @throws DataError   if the problem has no permeability.
  /// @throws ShapeError  if it is not on equal cells of the unit square, or a field is not [batch, 1, y, x].
  Tensor forcing(const Sample& problem) const override;

  /// Makes sure that `problem` can be solved.
  /// @throws DataError, ShapeError  as forcing(), and if a permeability is not positive or a value not finite.
  void check(const Sample& problem) const;

 private:
  DarcyOptions options_;
  GaussianRandomField field_;
};

/// A Darcy problem with its exact solution, one member with fields permeability, forcing and pressure, float64:
///     a = 1 + xy,   u = sin πx sin πy,   f = −∇·(a ∇u).
/// @param grid  from Darcy::grid()
Sample darcy_manufactured(const Grid& grid);

}  // namespace locum::physics
