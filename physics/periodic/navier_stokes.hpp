#pragma once
#include <array>
#include <utility>

#include "periodic_equation.hpp"
#include "periodic_random_field.hpp"

namespace locum::physics {

/// What keeps a flow going.
enum class Stirring {
  none,
  diagonal,   ///< 0.1 (sin 2π(x + y) + cos 2π(x + y)) on the unit square: Li et al., ICLR 2021, §5.3.
  kolmogorov  ///< amplitude · cos(wave · y'), y' = 2πy / length; the curl of a force along x.
};
constexpr auto option_names(Stirring)
{
  return std::array{std::pair{Stirring::none, "none"}, std::pair{Stirring::diagonal, "diagonal"},
                    std::pair{Stirring::kolmogorov, "kolmogorov"}};
}

struct NavierStokesOptions {
  double length = 1;
  double viscosity = 1e-3;
  double drag = 0;
  Stirring stirring = Stirring::diagonal;
  double amplitude = 0.1;
  std::int64_t wave = 4;
  double tau = 7;
  double alpha = 2.5;
  double scale = 18.520259177452136;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic square's side");
    option("viscosity", viscosity, "ν");
    option("drag", drag, "linear, 1 / time");
    option("stirring", stirring, "source of vorticity: none, diagonal or kolmogorov");
    option("amplitude", amplitude, "of the stirring");
    option("wave", wave, "number of waves across the square (kolmogorov)");
    option("tau", tau, "initial states: inverse correlation length, 1 / length");
    option("alpha", alpha, "initial states: smoothness");
    option("scale", scale, "initial states: they have covariance scale² (−Δ + τ²)^−α");
  }
};

/// The Navier–Stokes equations of incompressible flow in the periodic plane, by their vorticity ω:
///     ∂ω/∂t + u·∇ω = ν Δω − drag ω + stirring,   u = (−∂ψ/∂y, ∂ψ/∂x),   Δψ = ω.
/// Field "vorticity".
///
/// u·∇ω is computed as ∂²(v² − u²)/∂x∂y + (∂²/∂x² − ∂²/∂y²)(uv), four transforms instead of five: Basdevant, J. Comput.
/// Phys. 50 (1983).
class NavierStokes : public PointwiseProducts<NavierStokes> {
 public:
  /// @throws OptionError  if length is not positive, or viscosity or drag negative, or as PeriodicRandomField
  explicit NavierStokes(NavierStokesOptions options);

  std::string name() const override { return "navier_stokes"; }
  std::vector<std::string> state() const override { return {"vorticity"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 2, products = 2;
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    product[0] = factor[0] * factor[1];
    product[1] = (factor[1] - factor[0]) * (factor[1] + factor[0]);
  }

 private:
  NavierStokesOptions options_;
  PeriodicRandomField field_;
};

/// Kinetic energy ½⟨u²⟩ and enstrophy ½⟨ω²⟩ of a vorticity field, means over the square, [batch].
/// @param vorticity  [batch, 1, y, x]
struct EnergyAndEnstrophy {
  Tensor energy, enstrophy;
};
EnergyAndEnstrophy energy_and_enstrophy(const Tensor& vorticity, const Grid& grid);

}  // namespace locum::physics
