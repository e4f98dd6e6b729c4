#pragma once
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "diffusion.hpp"
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
  SideOptions sides = {};

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
    sides.visit(option);
  }
};

/// Darcy flow in the unit square or cube: Diffusion through a random permeability, driven by a uniform forcing.
class Darcy : public Diffusion {
 public:
  /// @throws OptionError  if low, high or deviation is not positive, the field's tau or alpha is out of range, or as
  ///                      Diffusion
  explicit Darcy(DarcyOptions options = {});

  const DarcyOptions& options() const noexcept { return options_; }

  std::string name() const override { return "darcy"; }
  std::vector<std::string> inputs() const override { return {"permeability"}; }
  /// @throws OptionError  if the field's alpha is too small for the axes: GaussianRandomField
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

 protected:
  double uniform_forcing() const override { return options_.forcing; }

 private:
  DarcyOptions options_;
};

/// A Darcy problem with its exact solution, one member with fields permeability, forcing and pressure, float64:
///     a = 1 + xy,   u = sin πx sin πy,   f = −∇·(a ∇u).
/// @param grid  from Darcy::grid()
Sample darcy_manufactured(const Grid& grid);

}  // namespace locum::physics
