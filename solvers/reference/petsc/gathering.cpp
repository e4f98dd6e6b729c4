#include "gathering.hpp"

#include <petscdmda.h>

#include <numeric>
#include <vector>

#include "handles.hpp"

namespace locum::solvers {

using torch::Tensor;
using PetscIndices = Handle<IS, nullptr, destroy<ISDestroy, IS>>;

/// The list that MatCreateSubMatrices makes.
static void destroy_parts(Mat* parts) { static_cast<void>(MatDestroySubMatrices(1, &parts)); }

Tensor gathered(Mat matrix, DM mesh)
{
  const char* doing = "gathering a matrix";
  AO order = nullptr;  // belongs to the mesh
  check_petsc(DMDAGetAO(mesh, &order), doing);
  PetscInt rows = 0;
  check_petsc(MatGetSize(matrix, &rows, nullptr), doing);
  std::vector<PetscInt> numbers(static_cast<std::size_t>(rows));
  std::iota(numbers.begin(), numbers.end(), 0);
  check_petsc(AOApplicationToPetsc(order, rows, numbers.data()), doing);
  PetscIndices all;
  check_petsc(ISCreateGeneral(PETSC_COMM_SELF, rows, numbers.data(), PETSC_COPY_VALUES, all.out()), doing);
  const IS chosen = all.get();
  Handle<Mat*, nullptr, destroy_parts> parts;
  check_petsc(MatCreateSubMatrices(matrix, 1, &chosen, &chosen, MAT_INITIAL_MATRIX, parts.out()), doing);
  const Mat whole = parts.get()[0];

  std::vector<std::int64_t> starts = {0}, columns;
  std::vector<double> values;
  for (PetscInt row = 0; row < rows; ++row) {
    PetscInt count = 0;
    const PetscInt* its_columns = nullptr;
    const PetscScalar* its_values = nullptr;
    check_petsc(MatGetRow(whole, row, &count, &its_columns, &its_values), doing);
    columns.insert(columns.end(), its_columns, its_columns + count);
    values.insert(values.end(), its_values, its_values + count);
    starts.push_back(static_cast<std::int64_t>(columns.size()));
    check_petsc(MatRestoreRow(whole, row, &count, &its_columns, &its_values), doing);
  }
  return torch::sparse_csr_tensor(torch::tensor(starts), torch::tensor(columns), torch::tensor(values), {rows, rows},
                                  torch::kFloat64);
}

}  // namespace locum::solvers
