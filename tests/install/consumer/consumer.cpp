#include <locum/operators/surrogate.hpp>
#include <locum/physics/darcy.hpp>

#include <iostream>

// Uses the installed package as a user's program would: an untrained operator predicts, the equation judges.
int main()
{
  const locum::physics::Darcy darcy;
  const locum::Sample problem = darcy.draw(darcy.grid({16, 16}), /*seed=*/42, /*first=*/0, /*count=*/3);

  locum::operators::Surrogate surrogate("name = \"fourier\"\nmodes = [4, 4]\nwidth = 8\n",
                                        describe_channels(problem, darcy.inputs()), {{.field = "pressure"}},
                                        locum::RandomStream(1, "weights"));
  const locum::Sample prediction = surrogate.solve(problem);

  const auto residual = (darcy.residual(problem, prediction).norm() / darcy.forcing(problem).norm()).item<double>();
  std::cout << surrogate.description() << ": relative residual " << residual << "\n";
  return prediction.batch() == 3 && residual > 1e-3 ? 0 : 1;
}
