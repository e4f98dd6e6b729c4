#pragma once
#include <petscdm.h>
#include <petscmat.h>
#include <torch/torch.h>

namespace locum::solvers {

/// A matrix of unknowns on a DMDA, whole on every rank, in the order of a grid in memory: float64 [row, column], sparse
/// CSR. Collective.
/// @throws SolverError  if PETSc fails
torch::Tensor gathered(Mat matrix, DM mesh);

}  // namespace locum::solvers
