// # Swap a Darcy solve for a learned operator
//     swap_darcy runs/darcy/best.h5
// Needs: a surrogate trained by `locum run cases/darcy`, PETSc.
//
// The reference solver and the surrogate are both a SteadySolver: who holds one does not know which. Here the same
// problem goes to both; the equation itself tells how far the prediction is from solving it.
#include <locum/io/paraview/paraview.hpp>
#include <locum/operators/surrogate.hpp>
#include <locum/physics/darcy.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>
#include <locum/solvers/reference/registry.hpp>

int main(int argc, char** argv)
{
  MPI_Init(&argc, &argv);
  {
    const locum::solvers::PetscSession petsc(locum::Communicator(MPI_COMM_WORLD));
    const locum::physics::Darcy darcy;
    const locum::Sample problem = darcy.draw(darcy.grid({64, 64}), /*seed=*/42, /*first=*/0, /*count=*/1);

    auto reference = locum::solvers::make_reference_solver(darcy, locum::Communicator(), {});
    auto surrogate = locum::operators::Surrogate::load(argc > 1 ? argv[1] : "runs/darcy/best.h5");
    for (locum::SteadySolver* solver : std::initializer_list<locum::SteadySolver*>{reference.get(), &surrogate}) {
      const locum::Sample solution = solver->solve(problem);
      const auto residual = darcy.residual(problem, solution).norm() / darcy.forcing(problem).norm();
      fmt::print("{}: largest pressure {:.4f}, relative residual {:.1e}\n", solver->description(),
                 solution.field("pressure").values.max().item<double>(), residual.item<double>());
    }
  }
  MPI_Finalize();
}
