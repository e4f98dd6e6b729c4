#include "registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conservation/euler.hpp"
#include "conservation/shallow_water.hpp"
#include "darcy.hpp"
#include "finite_elements/elasticity.hpp"
#include "finite_elements/tensile_plate.hpp"
#include "finite_elements/transport.hpp"
#include "flow/channel_flow.hpp"
#include "flow/lid_driven_cavity.hpp"
#include "flow/unsteady_channel_flow.hpp"
#include "ordinary/lorenz.hpp"
#include "periodic/advection_diffusion.hpp"
#include "periodic/allen_cahn.hpp"
#include "periodic/baroclinic_jet.hpp"
#include "periodic/barotropic.hpp"
#include "periodic/burgers.hpp"
#include "periodic/burgers_2d.hpp"
#include "periodic/korteweg_de_vries.hpp"
#include "periodic/kuramoto_sivashinsky.hpp"
#include "periodic/navier_stokes.hpp"
#include "periodic/navier_stokes_3d.hpp"
#include "periodic/quasi_geostrophic.hpp"
#include "periodic/schrodinger.hpp"
#include "poisson.hpp"
#include "reaction_diffusion/diffusion_sorption.hpp"
#include "reaction_diffusion/fitzhugh_nagumo.hpp"
#include "reaction_diffusion/heat.hpp"

namespace locum::physics {

template <class Made, class Options>
static EquationEntry equation(std::string name, std::string description)
{
  return {std::move(name), std::move(description),
          [](OptionReader& options, const std::string& section) -> std::unique_ptr<Equation> {
            Options own;
            options.read(section, own);
            return std::make_unique<Made>(own);
          }};
}

const std::vector<EquationEntry>& equations()
{
  static const std::vector<EquationEntry> table = {
      equation<AdvectionDiffusion, AdvectionDiffusionOptions>("advection_diffusion",
                                                              "∂u/∂t + v·∇u = d Δu, periodic line, square or cube"),
      equation<AllenCahn, AllenCahnOptions>("allen_cahn", "∂u/∂t = d Δu + r (u − u³), periodic line or square"),
      equation<BaroclinicJet, BaroclinicJetOptions>("baroclinic_jet", "two layers in a channel, relaxed to a jet"),
      equation<Barotropic, BarotropicOptions>("barotropic", "one quasi-geostrophic layer on a β-plane over topography"),
      equation<Burgers, BurgersOptions>("burgers", "∂u/∂t + u ∂u/∂x = ν ∂²u/∂x², periodic line"),
      equation<Burgers2D, Burgers2DOptions>("burgers_2d", "∂u/∂t + u·∇u = ν Δu, a velocity in the periodic plane"),
      equation<ChannelFlow, ChannelFlowOptions>("channel_flow", "steady laminar flow in a channel, past an obstacle"),
      equation<Darcy, DarcyOptions>("darcy", "Darcy flow −∇·(a∇u) = f in the unit square or cube"),
      equation<DiffusionSorption, DiffusionSorptionOptions>(
          "diffusion_sorption", "R(u) ∂u/∂t = D ∂²u/∂x², a substance that sticks, on a line"),
      equation<Elasticity, ElasticityOptions>("elasticity", "linear elastic specimens under tension, on meshes"),
      equation<Euler, EulerOptions>("euler", "flow of a compressible gas, viscous or not, on a line or in a plane"),
      equation<FitzHughNagumo, FitzHughNagumoOptions>("fitzhugh_nagumo",
                                                      "an activator and an inhibitor, on a closed line or square"),
      equation<Heat, HeatOptions>("heat", "∂u/∂t = d Δu in a square, sides of given temperature or insulated"),
      equation<KortewegDeVries, KortewegDeVriesOptions>("korteweg_de_vries",
                                                        "∂u/∂t + u ∂u/∂x + d ∂³u/∂x³ = 0, periodic line"),
      equation<KuramotoSivashinsky, KuramotoSivashinskyOptions>(
          "kuramoto_sivashinsky", "∂u/∂t + u ∂u/∂x + ∂²u/∂x² + ∂⁴u/∂x⁴ = 0, periodic line"),
      equation<LidDrivenCavity, LidDrivenCavityOptions>("lid_driven_cavity", "steady flow in a square whose lid moves"),
      equation<Lorenz63, Lorenz63Options>("lorenz63", "convection in three variables"),
      equation<Lorenz84, Lorenz84Options>("lorenz84", "the atmosphere in three variables"),
      equation<Lorenz96, Lorenz96Options>("lorenz96", "waves round a circle of latitude"),
      equation<TwoScaleLorenz96, TwoScaleLorenz96Options>("lorenz96_two_scale", "the same with fast variables"),
      equation<NavierStokes, NavierStokesOptions>("navier_stokes",
                                                  "incompressible flow in the periodic plane, its vorticity"),
      equation<NavierStokes3D, NavierStokes3DOptions>("navier_stokes_3d",
                                                      "incompressible flow in the periodic cube, its velocity"),
      equation<Poisson, PoissonOptions>("poisson", "Poisson's equation −Δu = f in the unit square or cube"),
      equation<QuasiGeostrophic, QuasiGeostrophicOptions>("quasi_geostrophic",
                                                          "two layers on a β-plane, sheared mean flow"),
      equation<Schrodinger, SchrodingerOptions>("schrodinger", "i ∂h/∂t + ½ ∂²h/∂x² + |h|² h = 0, periodic line"),
      equation<ShallowWater, ShallowWaterOptions>("shallow_water",
                                                  "shallow water over a bed, dry places too, on a line or in a plane"),
      equation<TensilePlate, TensilePlateOptions>("tensile_plate",
                                                  "flat specimens with a hole under tension, as pictures"),
      equation<Transport, TransportOptions>("transport", "v·∇u − ∇·(k∇u) = f on meshes, in the plane or in space"),
      equation<UnsteadyChannelFlow, UnsteadyChannelFlowOptions>(
          "unsteady_channel_flow", "incompressible flow past an obstacle, a vortex street"),
  };
  return table;
}

std::unique_ptr<Equation> make_equation(const std::string& name, OptionReader& options, const std::string& section)
{
  std::vector<std::string> names;
  for (const EquationEntry& entry : equations()) {
    if (entry.name == name) return entry.make(options, section);
    names.push_back(entry.name);
  }
  const auto nearest = nearest_name(name, names);
  throw OptionError({.doing = "looking up an equation",
                     .where = fmt::format("[{}]", section),
                     .found = fmt::format("\"{}\"", name),
                     .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                     .advice = nearest.empty() ? "" : fmt::format("\"{}\"", nearest)});
}

}  // namespace locum::physics
