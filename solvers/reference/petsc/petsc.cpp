#include "petsc.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include "handles.hpp"

namespace locum::solvers {

void check_petsc(PetscErrorCode code, const char* doing)
{
  if (static_cast<int>(code) == 0) return;
  const char* kind = nullptr;
  char* words = nullptr;
  static_cast<void>(PetscErrorMessage(code, &kind, &words));
  throw SolverError(
      {.doing = "calling PETSc",
       .where = doing,
       .found = fmt::format("error {}, {}: {}", static_cast<int>(code), kind ? kind : "unknown", words ? words : ""),
       .expected = "",
       .advice = "check the options in [solver.petsc]"});
}

PetscSession::PetscSession(const Communicator& ranks)
{
  PetscBool running = PETSC_FALSE;
  check_petsc(PetscInitialized(&running), "looking for a running PETSc");
  if (!running) {
    int mpi_running = 0;
    MPI_Initialized(&mpi_running);
    if (mpi_running) PETSC_COMM_WORLD = ranks.raw();  // otherwise PETSc starts and stops MPI itself
    check_petsc(PetscOptionsSetValue(nullptr, "-no_signal_handler", "true"), "leaving signals to the program");
    check_petsc(PetscInitializeNoArguments(), "starting PETSc");
    owner_ = true;
  }
  check_petsc(PetscPushErrorHandler(PetscReturnErrorHandler, nullptr), "setting the error handler");
}

PetscSession::~PetscSession()
{
  static_cast<void>(PetscPopErrorHandler());
  if (owner_) static_cast<void>(PetscFinalize());
}

PetscOptionSet::PetscOptionSet(const std::map<std::string, std::string>& defaults,
                               const std::map<std::string, std::string>& own)
    : own_(own)
{
  PetscBool running = PETSC_FALSE;
  check_petsc(PetscInitialized(&running), "looking for a running PETSc");
  if (!running)
    throw SolverError({.doing = "setting up the reference solver",
                       .where = "PETSc",
                       .found = "not running",
                       .expected = "a PetscSession that outlives the solver",
                       .advice = "const solvers::PetscSession petsc(ranks);"});
  check_petsc(PetscOptionsCreate(database_.out()), "making an option database");
  auto all = own;
  all.insert(defaults.begin(), defaults.end());
  for (const auto& [name, value] : all)
    check_petsc(PetscOptionsSetValue(database_.get(), ("-" + name).c_str(), value.empty() ? nullptr : value.c_str()),
                "setting options");
}

void PetscOptionSet::refuse_unused() const
{
  for (const auto& [name, value] : own_) {
    PetscBool used = PETSC_FALSE;
    check_petsc(PetscOptionsUsed(database_.get(), name.c_str(), &used), "looking for unused options");
    if (used) continue;
    // PETSc does not tell which options it knows: these are the ones people set.
    const auto nearest = nearest_name(name, {"ksp_type",
                                             "ksp_rtol",
                                             "ksp_atol",
                                             "ksp_max_it",
                                             "ksp_norm_type",
                                             "ksp_monitor",
                                             "ksp_view",
                                             "ts_type",
                                             "ts_dt",
                                             "ts_rtol",
                                             "ts_atol",
                                             "ts_adapt_type",
                                             "ts_max_steps",
                                             "ts_monitor",
                                             "snes_type",
                                             "snes_rtol",
                                             "ksp_converged_reason",
                                             "pc_type",
                                             "pc_gamg_threshold",
                                             "pc_gamg_agg_nsmooths",
                                             "pc_factor_levels",
                                             "mg_levels_ksp_type",
                                             "mg_levels_ksp_max_it",
                                             "mg_levels_pc_type"});
    throw OptionError(
        {.doing = "setting up the reference solver",
         .where = "[solver.petsc]",
         .found = fmt::format("option \"{}\" that PETSc did not ask for", name),
         .expected = "options of the chosen ksp_type and pc_type",
         .advice = nearest.empty() || nearest == name ? "remove it" : fmt::format("{} = \"{}\"", nearest, value)});
  }
}

PetscOptionSet::Scope::Scope(const PetscOptionSet& options)
{
  check_petsc(PetscOptionsPush(options.database_.get()), "choosing the options");
}

PetscOptionSet::Scope::~Scope() { static_cast<void>(PetscOptionsPop()); }

}  // namespace locum::solvers
