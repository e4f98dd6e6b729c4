#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#include <mpi.h>
#include <torch/torch.h>

#include "catch.hpp"

// Ranks share the machine's cores; results must not depend on how many threads there are left.
int main(int argc, char** argv)
{
  MPI_Init(&argc, &argv);
  torch::set_num_threads(1);
  const int failed = Catch::Session().run(argc, argv);
  MPI_Finalize();
  return failed;
}
