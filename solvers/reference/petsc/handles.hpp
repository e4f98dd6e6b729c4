#pragma once
#include <petscdmda.h>
#include <petscksp.h>
#include <locum/core/handle.hpp>

#include <map>
#include <string>

namespace locum::solvers {

/// @throws SolverError  with PETSc's own words, if `code` says that a call failed.
/// @param doing  what the call was for: "assembling the matrix"
void check_petsc(PetscErrorCode code, const char* doing);

template <auto destroyer, class Raw>
void destroy(Raw raw)
{
  static_cast<void>(destroyer(&raw));
}
// Collective to destroy, as PETSc's objects are.
using PetscDm = Handle<DM, nullptr, destroy<DMDestroy, DM>>;
using PetscKsp = Handle<KSP, nullptr, destroy<KSPDestroy, KSP>>;
using PetscMat = Handle<Mat, nullptr, destroy<MatDestroy, Mat>>;
using PetscVec = Handle<Vec, nullptr, destroy<VecDestroy, Vec>>;

/// PETSc options of one solver, kept apart from every other's.
class PetscOptionSet {
 public:
  /// @param defaults, own  by name, without the leading dash; `own` replace `defaults`.
  PetscOptionSet(const std::map<std::string, std::string>& defaults, const std::map<std::string, std::string>& own);

  /// @throws OptionError  naming the first of `own` that nothing in PETSc has asked for so far.
  void refuse_unused() const;

  /// While it lives, PETSc looks up options here: those of nested solvers (mg_levels_ksp_type) too.
  class Scope {
   public:
    explicit Scope(const PetscOptionSet& options);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
  };

 private:
  std::map<std::string, std::string> own_;
  Handle<PetscOptions, nullptr, destroy<PetscOptionsDestroy, PetscOptions>> database_;
};

}  // namespace locum::solvers
