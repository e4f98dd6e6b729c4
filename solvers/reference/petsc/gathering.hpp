#pragma once
#include <petscdm.h>
#include <petscmat.h>
#include <torch/torch.h>
#include <locum/core/communicator.hpp>

namespace locum::solvers {

/// A matrix of unknowns on a DMDA, whole on every rank, in the order of a grid in memory: float64 [row, column], sparse
/// (COO). Collective.
/// @throws SolverError  if PETSc fails
torch::Tensor gathered(Mat matrix, DM mesh);

/// Puts together what each rank has filled in of a float64 tensor that is zero elsewhere: the sum, on every rank.
/// Collective.
inline void gather_parts(const torch::Tensor& values, const Communicator& ranks)
{
  if (ranks.size() > 1)
    MPI_Allreduce(MPI_IN_PLACE, values.data_ptr<double>(), static_cast<int>(values.numel()), MPI_DOUBLE, MPI_SUM,
                  ranks.raw());
}

}  // namespace locum::solvers
