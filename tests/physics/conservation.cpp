#include <locum/physics/conservation/euler.hpp>
#include <locum/physics/conservation/shallow_water.hpp>
#include <locum/physics/periodic/periodic_equation.hpp>
#include <locum/physics/reaction_diffusion/diffusion_sorption.hpp>
#include <locum/physics/reaction_diffusion/fitzhugh_nagumo.hpp>

#include <cmath>

#include "support/catch.hpp"

using namespace locum;
using namespace locum::physics;

TEST_CASE("conservation laws and reactions: a drawn state depends on its number alone", "[physics]")
{
  const Euler gas({}), tube({.states = GasStates::shock, .volumes = {.lengths = {1}}});
  const ShallowWater water({.bed = Bed::hills, .dam_offset = 1});
  const FitzHughNagumo reaction({});
  const DiffusionSorption sorption({});
  for (const EvolvingEquation* equation :
       std::vector<const EvolvingEquation*>{&gas, &tube, &water, &reaction, &sorption}) {
    INFO(equation->name());
    const bool on_line = equation == &tube || equation == &sorption;
    const Grid grid = equation->grid(on_line ? std::vector<std::int64_t>{16} : std::vector<std::int64_t>{12, 16});
    const Sample three = equation->draw(grid, 4, 0, 3), last = equation->draw(grid, 4, 2, 1);
    const Tensor all = stack_channels(three, equation->state());
    CHECK(torch::equal(all.narrow(0, 2, 1), stack_channels(last, equation->state())));
    CHECK_FALSE(torch::equal(all[0], all[1]));
    CHECK(equation->tendency(all, grid).sizes() == all.sizes());
  }
}

TEST_CASE("Euler: random states have the Mach number asked for", "[physics]")
{
  const double gamma = 5.0 / 3.0;
  const Euler random({.mach = 0.3}), turbulent({.states = GasStates::turbulent, .mach = 0.3});
  const Grid grid = random.grid({64, 64});
  const auto speed = [](const Sample& state) { return state.field("velocity").values.square().sum(1).sqrt(); };
  const Sample rough = random.draw(grid, 1, 0, 20);
  const Tensor temperature =
      rough.field("pressure").values.mean({1, 2, 3}) / rough.field("density").values.mean({1, 2, 3});
  const Tensor mach = speed(rough).mean({1, 2}) / (gamma * temperature).sqrt();
  CHECK(mach.max().item<double>() < 0.31);
  CHECK(((mach - 0.3).abs() < 0.01).sum().item<std::int64_t>() >= 4);   // no window
  CHECK(((mach - 0.3).abs() >= 0.01).sum().item<std::int64_t>() >= 4);  // at rest beyond a window
  CHECK(rough.field("density").values.min().item<double>() > 0);

  const Sample smooth = turbulent.draw(grid, 1, 0, 2);
  CHECK_THAT(speed(smooth).mean().item<double>(), WithinAbs(1, 1e-12));
  CHECK_THAT((gamma * smooth.field("pressure").values.mean()).sqrt().item<double>() * 0.3, WithinAbs(1, 1e-12));
  const Tensor modes = to_modes(smooth.field("velocity").values);
  const Tensor divergence = derivative(grid, 1) * modes.select(1, 0) + derivative(grid, 0) * modes.select(1, 1);
  CHECK(divergence.abs().max().item<double>() < 1e-13);
}

TEST_CASE("shallow water: dams as PDEBench's", "[physics]")
{
  const ShallowWater equation({});
  const Grid grid = equation.grid({128, 128});
  const Tensor depth = equation.draw(grid, 1, 0, 50).field("depth").values;
  CHECK(((depth == 1) | (depth == 2)).all().item<bool>());
  const double cell = 25.0 / (128 * 128);
  const Tensor radius = ((depth == 2).sum({1, 2, 3}) * (cell / M_PI)).sqrt();
  CHECK(radius.min().item<double>() > 0.28);
  CHECK(radius.min().item<double>() < 0.35);
  CHECK(radius.max().item<double>() < 0.72);
  CHECK(radius.max().item<double>() > 0.65);
}
