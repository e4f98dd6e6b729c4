#include <locum/physics/darcy.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>
#include <locum/solvers/reference/registry.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;

TEST_CASE("a build without PETSc says how to get a reference solver", "[solvers][error]")
{
  const solvers::PetscSession session(Communicator{});
  CHECK_FALSE(solvers::petsc_available());
  const auto message = tests::message_of([] { solvers::make_reference_solver(physics::Darcy(), {}, {}); });
  CHECK(tests::says(message, {"equation darcy", "a build without PETSc", "-DLOCUM_PETSC=ON"}));
}
