#include "tensile_plate.hpp"

#include <locum/core/agree.hpp>
#include <locum/physics/finite_elements/interpolation.hpp>

#include <limits>

namespace locum::solvers {

TensilePlateSolver::TensilePlateSolver(physics::TensilePlate equation, const Communicator& ranks,
                                       std::map<std::string, std::string> options)
    : equation_(std::move(equation)), ranks_(ranks), solver_(equation_.elasticity(), ranks, std::move(options))
{
}

std::string TensilePlateSolver::description() const { return solver_.description() + ", on a grid"; }

Sample TensilePlateSolver::solve(const Sample& problem)
{
  const Tensor outside = problem.field("mask").values < 0.5;
  Sample all;
  for (std::int64_t m = 0; m < problem.batch(); ++m) {
    Sample on_mesh;
    agree(ranks_, [&] {
      const auto specimen = physics::specimen_of(problem, m);
      const Mesh mesh = physics::mesh_of_specimen(specimen, equation_.options().across, /*quadratic_cells=*/true);
      on_mesh = equation_.elasticity().draw_on(mesh, 0, 0, 1);
    });
    const Sample solved = solver_.solve(on_mesh);
    const physics::GridInterpolation interpolation(std::get<Mesh>(on_mesh.domain), problem.grid());
    Sample one{.domain = problem.domain, .fields = {}, .scalars = solved.scalars, .time = problem.time};
    for (const auto& [name, field] : solved.fields)
      one.fields[name] = {.values = interpolation(field.values)
                                        .masked_fill(outside.narrow(0, m, 1), std::numeric_limits<double>::quiet_NaN()),
                          .unit = field.unit};
    if (m == 0) all = one;
    else all.append(one);
  }
  return all;
}

Sample TensilePlateSolver::solve(const Sample& problem, const Sample&) { return solve(problem); }

Tensor TensilePlateSolver::matrix(const Sample&, const Sample&)
{
  throw OptionError({.doing = "asking a reference solver for its matrix",
                     .where = "equation " + equation_.name(),
                     .found = "a solution on a grid that is taken from a mesh",
                     .expected = "an equation solved where its fields are",
                     .advice = "equation elasticity, on meshes"});
}

}  // namespace locum::solvers
