#include <locum/physics/periodic/baroclinic_jet.hpp>
#include <locum/physics/periodic/corrected_equation.hpp>
#include <locum/physics/periodic/kuramoto_sivashinsky.hpp>
#include <locum/physics/periodic/navier_stokes.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::physics;

TEST_CASE("corrected equation: with the terms that are missing it is the true equation", "[physics]")
{
  const KuramotoSivashinsky truth({.third = 0.5, .cubic = 0.2}), model({.advection = 0.25, .second = 0, .fourth = 2});
  const Grid grid = truth.grid({128});
  const Tensor state = truth.draw(grid, 3, 0, 4).field("u").values;  // eight waves: no product has aliases
  const CorrectedEquation corrected(model,
                                    {{"u", -0.75, Formula::parse("u*dx(u)")},
                                     {"u", -1, Formula::parse("dxx(u)")},
                                     {"u", 1, Formula::parse("dxxxx(u) - 0.5*dxxx(u)")},
                                     {"u", -0.2, Formula::parse("u^2*dx(u)")}},
                                    grid);
  CHECK(tests::relative_distance(corrected.tendency(state, grid), truth.tendency(state, grid)) < 1e-13);
  CHECK(tests::relative_distance(model.tendency(state, grid), truth.tendency(state, grid)) > 0.1);
  CHECK(corrected.name() == "kuramoto_sivashinsky, corrected");
}

TEST_CASE("corrected equation: numbers and tensors agree, and what is given is forcing", "[physics]")
{
  const NavierStokes model({.length = 3});
  const Grid grid = model.grid({24, 32});
  const Tensor state = model.draw(grid, 1, 0, 2).field("vorticity").values;
  const CorrectedEquation corrected(model,
                                    {{"vorticity", 2, Formula::parse("y*vorticity^2 - 3*dx(vorticity)*dy(vorticity)")},
                                     {"vorticity", 0.5, Formula::parse("x + 4")}},
                                    grid);
  const Tensor x = grid.coordinates(1), y = grid.coordinates(0).unsqueeze(1), w = state.select(1, 0);
  const auto differentiated = [&](std::size_t axis) {
    return from_modes(derivative(grid, axis) * to_modes(state), grid).select(1, 0);
  };
  const Tensor more = 2 * y * w.square() - 6 * differentiated(1) * differentiated(0) + 0.5 * x + 2;
  CHECK(tests::relative_distance(corrected.tendency(state, grid) - model.tendency(state, grid), more.unsqueeze(1)) <
        1e-12);

  const FourierForm form = corrected.form(grid);
  const std::int64_t factors = form.expand.size(0), products = form.contract.size(1), points = 5;
  const Tensor in = torch::rand({factors, points}, torch::kFloat64),
               out = torch::zeros({products, points}, torch::kFloat64);
  std::vector<const double*> from;
  std::vector<double*> to;
  for (std::int64_t i = 0; i < factors; ++i) from.push_back(in[i].data_ptr<double>());
  for (std::int64_t i = 0; i < products; ++i) to.push_back(out[i].data_ptr<double>());
  corrected.multiply(from.data(), to.data(), points);
  CHECK(torch::equal(out, torch::stack(corrected.multiply(in.unbind(0)))));
  CHECK(tests::says(tests::message_of([&] {
                      CorrectedEquation(model, {{"u", 1, Formula::parse("vorticity")}}, grid);
                    }),
                    {"field \"u\"", "one of vorticity"}));
}

TEST_CASE("baroclinic jet: its equation, term by term", "[physics]")
{
  const BaroclinicJet whole({.sponge = 0});
  const BaroclinicJet nothing(
      {.advection = 0, .beta = 0, .relaxation = 0, .friction = 0, .sponge = 0, .viscosity = 1e-6});
  const Grid grid = whole.grid({96, 64});
  Sample state = whole.draw(grid, 5, 0, 2);
  const Tensor k = wave_numbers(grid, 0) * (grid.axes[0].spacing / M_PI);
  const Tensor smooth =
      from_modes(to_modes(stack_channels(state, whole.state())) * (k.abs() < 0.5).to(torch::kFloat64), grid);
  state.fields = split_channels(smooth, describe_channels(state, whole.state()));

  const auto term = [](const char* field, double coefficient, const char* text) {
    return Correction{field, coefficient, Formula::parse(text)};
  };
  const CorrectedEquation built(
      nothing,
      {term("q1", -1, "jacobian(psi1, q1 + 0.196*y)"), term("q2", -1, "jacobian(psi2, q2 + 0.196*y)"),
       term("q1", 0.01, "psi1 - psi2 - psi_r"), term("q2", -0.01, "psi1 - psi2 - psi_r"),
       term("q2", -0.07, "laplacian(psi2)")},
      grid);
  CHECK(tests::relative_distance(built.tendency(smooth, grid), whole.tendency(smooth, grid)) < 1e-12);

  // Potential vorticity of the diagnosed stream functions, and the jet of unit speed in the middle.
  const Sample all = with_diagnostics(whole, state);
  const Tensor psi1 = all.field("psi1").values, psi2 = all.field("psi2").values;
  const auto laplacian = [&](const Tensor& f) { return from_modes(-squared_wave_number(grid) * to_modes(f), grid); };
  const Tensor q1 = laplacian(psi1) - (psi1 - psi2), q2 = laplacian(psi2) + (psi1 - psi2);
  CHECK(tests::relative_distance(torch::cat({q1, q2}, 1),
                                 smooth - (smooth.narrow(1, 0, 1) + smooth.narrow(1, 1, 1)).mean({2, 3}, true) / 2) <
        1e-12);
  const Tensor jet = from_modes(-derivative(grid, 0) * to_modes(all.field("psi_r").values), grid)[0][0].select(1, 0);
  CHECK_THAT(jet[48].item<double>(), WithinAbs(1, 1e-6));
  CHECK_THAT(jet[0].item<double>(), WithinAbs(-1, 1e-6));
}

TEST_CASE("baroclinic jet: sponges damp eddies at the walls, not the zonal mean", "[physics]")
{
  const BaroclinicJet with({.sponge = 1}), without({.sponge = 0});
  const Grid grid = with.grid({64, 48});
  const Tensor x = grid.coordinates(1) * (2 * M_PI / 46);
  const Tensor state = (x.cos() + 3).expand({1, 2, 64, 48});
  const Tensor damped = (with.tendency(state, grid) - without.tendency(state, grid))[0][1];
  CHECK(tests::relative_distance(damped[0], -x.cos()) < 1e-12);
  CHECK(damped[32].abs().max().item<double>() < 1e-6);
}
