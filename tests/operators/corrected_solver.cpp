#include <locum/operators/corrected_solver.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::operators;

namespace {

class Halving : public EvolvingSolver {
 public:
  std::string description() const override { return "halving"; }
  Sample advance(const Sample& state, double duration) override
  {
    Sample after = state;
    after.fields["u"].values = state.field("u").values * std::pow(0.5, duration);
    after.time += duration;
    return after;
  }
};

Surrogate correction(const std::string& output)
{
  return {"name = \"fourier\"\nmodes = [4]\nwidth = 4\nlayers = 1\n",
          {{.field = "u", .component = 0, .unit = "1"}},
          {{.field = output, .component = 0, .unit = "1"}},
          RandomStream(1, "weights"),
          torch::kFloat64};
}

Sample waves()
{
  Grid grid;
  grid.axes = {{.name = "x", .points = 16, .origin = 0, .spacing = 1.0 / 16, .periodic = true, .unit = "1"}};
  return {.domain = grid,
          .fields = {{"u", {.values = RandomStream(2, "u").normal({3, 1, 16}), .unit = "1"}}},
          .scalars = {},
          .time = 0};
}

}  // namespace

TEST_CASE("corrected solver: the model's step, and what the surrogate says it lacks", "[operators]")
{
  torch::NoGradGuard no_gradients;
  CorrectedSolver solver(std::make_unique<Halving>(), correction("u_increment"), 0.5);
  Surrogate same = correction("u_increment");
  Sample expected = waves();
  for (int i = 0; i < 2; ++i) {
    const Tensor change = same.solve(expected).field("u_increment").values;
    expected = Halving().advance(expected, 0.5);
    expected.fields["u"].values = expected.field("u").values + change;
  }
  const Sample found = solver.advance(waves(), 1);
  CHECK(torch::equal(found.field("u").values, expected.field("u").values));
  CHECK(found.time == 1);
}

TEST_CASE("corrected solver: what does not fit is refused", "[operators][error]")
{
  CHECK(tests::says(tests::message_of([] { CorrectedSolver(std::make_unique<Halving>(), correction("v"), 0.5); }),
                    {"predicts v", "_increment", "increments.h5"}));
  CorrectedSolver solver(std::make_unique<Halving>(), correction("u_increment"), 0.5);
  CHECK(tests::says(tests::message_of([&] { solver.advance(waves(), 0.7); }), {"0.7", "multiple of 0.5"}));
}
