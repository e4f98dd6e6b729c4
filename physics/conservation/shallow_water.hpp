#pragma once
#include "conservation_law.hpp"

namespace locum::physics {

/// What water flows over.
enum class Bed {
  flat,
  hills  ///< A field "topography", part of the state though it does not change; random states have hills of their own.
};
constexpr auto option_names(Bed) { return std::array{std::pair{Bed::flat, "flat"}, std::pair{Bed::hills, "hills"}}; }

struct ShallowWaterOptions {
  double gravity = 1;
  double dry = 1e-6;
  Bed bed = Bed::flat;
  double hill_height = 0.5;
  std::vector<double> dam_radius = {0.3, 0.7};
  double dam_offset = 0;
  double inner_depth = 2;
  double outer_depth = 1;
  VolumeOptions volumes{.lengths = {5, 5}, .boundary_y = Boundary::outflow, .boundary_x = Boundary::outflow};

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("gravity", gravity, "g");
    option("dry", dry, "depth below which water comes to rest");
    option("bed", bed, "flat, or hills: a field topography, which does not change");
    option("hill_height", hill_height, "initial states: of the highest hills");
    option("dam_radius", dam_radius, "initial states: smallest and largest radius of the dam that breaks");
    option("dam_offset", dam_offset, "initial states: farthest its centre is from the domain's, along each axis");
    option("inner_depth", inner_depth, "initial states: water level within the dam");
    option("outer_depth", outer_depth, "initial states: water level beyond it; 0: it is dry");
    volumes.visit(option);
  }
};

/// Shallow water over a bed b, on a line or in a plane, by Saint-Venant's equations
///     ∂h/∂t + ∇·q = 0,   ∂q/∂t + ∇·(qq/h) + ∇(g h²/2) = −g h ∇b.
/// Fields "depth" h, "discharge" q = hu (components along x, y) and, unless the bed is flat, "topography" b.
///
/// Fluxes are those of HLL with what is transverse carried by the flow (HLLC: Toro, Shock-Capturing Methods for
/// Free-Surface Shallow Flows (2001), ch. 10), of depths that hydrostatic reconstruction gives: Audusse et al., SIAM J.
/// Sci. Comput. 25 (2004), second order as there in §4. So a lake at rest stays at rest, its shores too, and no depth
/// becomes negative while courant is at most ½. Where h is less than `dry`, u = √2 h q / √(h⁴ + max(h⁴, dry⁴)):
/// Kurganov & Petrova, Commun. Math. Sci. 5 (2007).
class ShallowWater : public ConservationLaw {
 public:
  /// @throws OptionError  if gravity, dry, inner_depth or a radius is not positive, or another number negative
  explicit ShallowWater(ShallowWaterOptions options);

  std::string name() const override { return "shallow_water"; }
  std::vector<std::string> state() const override;
  /// Breaking radial dams (on a line: two dams), the water at rest: the defaults are those of PDEBench (Takamoto et
  /// al., NeurIPS 2022). Radius and offset are uniform. The bed is flat, or has eight hills exp(−d²/2r²) of random
  /// places, heights up to hill_height and radii r from 1/20 to 1/8 of the shorter length.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  std::unique_ptr<FiniteVolumes> discretise(const Grid& grid) const override;

 private:
  ShallowWaterOptions options_;
};

}  // namespace locum::physics
