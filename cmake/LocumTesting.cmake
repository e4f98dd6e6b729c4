# What every test runs in: any number of ranks on one machine, also as root (containers), beside other tests.
# Variables, not flags of mpiexec, which differ between MPI libraries; each ignores what is meant for the others.
set(LOCUM_TEST_ENVIRONMENT
  # Open MPI 4
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1
  OMPI_MCA_hwloc_base_binding_policy=none         # two tests at once would be bound to the same cores
  OMPI_MCA_btl=^tcp,openib                        # ranks share memory; no search for networks
  OMPI_MCA_btl_vader_single_copy_mechanism=none   # containers forbid reading each other's memory
  # Open MPI 5
  PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
  PRTE_MCA_hwloc_default_binding_policy=none
  # one thread a rank: ranks and tests already fill the cores
  OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
)

# locum_test(NAME … COMMAND … [RANKS 2] [CONFIGURATIONS …]): add_test() in that environment, under mpiexec with RANKS.
function(locum_test)
  cmake_parse_arguments(arg "" "NAME;RANKS" "COMMAND;CONFIGURATIONS" ${ARGN})
  if(arg_RANKS)
    list(PREPEND arg_COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${arg_RANKS})
  else()
    set(arg_RANKS 1)
  endif()
  add_test(NAME ${arg_NAME} COMMAND ${arg_COMMAND} CONFIGURATIONS ${arg_CONFIGURATIONS})
  set_tests_properties(${arg_NAME} PROPERTIES
    ENVIRONMENT "${LOCUM_TEST_ENVIRONMENT}" PROCESSORS ${arg_RANKS} TIMEOUT 900)
endfunction()
