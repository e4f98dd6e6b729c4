#pragma once
#include "conservation_law.hpp"

namespace locum::physics {

/// Random initial states of a gas.
enum class GasStates {
  random,     ///< Density, velocity and pressure are sums of waves; half of the states are at rest beyond a window.
  turbulent,  ///< Density and pressure are uniform, the velocity a sum of waves without divergence; in a plane.
  shock       ///< Two constant states side by side; on a line.
};
constexpr auto option_names(GasStates)
{
  return std::array{std::pair{GasStates::random, "random"}, std::pair{GasStates::turbulent, "turbulent"},
                    std::pair{GasStates::shock, "shock"}};
}

struct EulerOptions {
  double gamma = 5.0 / 3.0;
  double shear_viscosity = 0;
  double bulk_viscosity = 0;
  GasStates states = GasStates::random;
  double mach = 0.1;
  std::int64_t waves = 4;
  VolumeOptions volumes = {};

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("gamma", gamma, "ratio of specific heats");
    option("shear_viscosity", shear_viscosity, "η; 0 with bulk_viscosity 0: Euler's equations");
    option("bulk_viscosity", bulk_viscosity, "ζ");
    option("states", states, "drawn at random: random or turbulent, as PDEBench's; shock on a line");
    option("mach", mach, "Mach number of random states, their mean speed over that of sound");
    option("waves", waves, "most waves along each axis in random states");
    volumes.visit(option);
  }
};

/// Flow of a compressible ideal gas on a line or in a plane, by Euler's equations or, with viscosity, Navier and
/// Stokes's,
///     ∂ρ/∂t + ∇·(ρu) = 0,   ∂(ρu)/∂t + ∇·(ρuu) + ∇p = ∇·σ,   ∂E/∂t + ∇·((E + p) u) = ∇·(σu),
///     E = p / (γ − 1) + ρ|u|²/2,   σ = η (∇u + ∇uᵀ − ⅔ ∇·u) + ζ ∇·u,
/// without conduction of heat: the compressible flows of PDEBench (Takamoto et al., NeurIPS 2022), whose program
/// however multiplies both viscosities by the density.
///
/// Fields "density", "velocity" (components along x, y) and "pressure", of conserved quantities averaged over cells.
///
/// Fluxes are those of HLLC (Toro, Spruce & Speares, Shock Waves 4 (1994)) with the wave speeds of Einfeldt, SIAM J.
/// Numer. Anal. 25 (1988); viscous ones are central differences of second order.
class Euler : public ConservationLaw {
 public:
  /// @throws OptionError  if gamma is not above 1, a viscosity negative, mach or waves not positive, or states do not
  ///                      fit the axes
  explicit Euler(EulerOptions options);

  std::string name() const override { return "euler"; }
  std::vector<std::string> state() const override { return {"density", "velocity", "pressure"}; }
  /// As PDEBench draws them. Random: mean density and temperature p / ρ uniform from 0.1 to 10, their relative
  /// variations' mean from 0.01 to 0.2 (and nowhere beyond 0.9), the mean speed mach times that of sound; of waves of
  /// number k the amplitude |k|^−½; a window with edges of width 0.01. Turbulent: density and mean speed 1, the speed
  /// of sound 1 / mach. Shock: at a place from 0.25 to 0.75 of the length, density and pressure from 0.1 to 10
  /// (uniform in their logarithms), velocity up to mach times the speed of sound. The window's edges and the shock's
  /// place are parts of the lengths.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  std::unique_ptr<FiniteVolumes> discretise(const Grid& grid) const override;

  const EulerOptions& options() const noexcept { return options_; }

 private:
  EulerOptions options_;
};

}  // namespace locum::physics
