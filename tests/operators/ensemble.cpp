#include <locum/operators/ensemble.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"
#include "waves.hpp"

using namespace locum;
using namespace locum::operators;

TEST_CASE("ensembles: mean and deviation of what the members predict; one member alone is itself", "[operators]")
{
  Sample problem{.domain = Grid::cell_centres({32}, {1}), .fields = {}, .scalars = {}, .time = 0};
  problem.fields["u"] = {.values = tests::derivative_data(4, 3).inputs, .unit = "m s-1"};
  std::vector<Surrogate> members;
  std::vector<Tensor> predictions;
  for (const std::uint64_t seed : {1, 2, 3}) {
    members.push_back(tests::fresh(torch::kFloat64, seed));
    predictions.push_back(members.back().solve(problem).field("v").values);
  }
  const Tensor all = torch::stack(predictions);
  SurrogateEnsemble ensemble(std::move(members));
  const Sample together = ensemble.solve(problem);
  CHECK(tests::relative_distance(together.field("v").values, all.mean(0)) < 1e-14);
  CHECK(tests::relative_distance(together.field("v_std").values, all.std(0)) < 1e-14);
  CHECK(together.field("v_std").unit == "Pa");

  std::vector<Surrogate> one;
  one.push_back(tests::fresh(torch::kFloat64, 2));
  const Sample alone = SurrogateEnsemble(std::move(one)).solve(problem);
  CHECK(torch::equal(alone.field("v").values, predictions[1]));
  CHECK(alone.fields.size() == 1);
}

TEST_CASE("ensembles: members that predict something else are refused", "[operators][error]")
{
  std::vector<Surrogate> members;
  members.push_back(tests::fresh());
  members.push_back(Surrogate("name = \"fourier\"\nmodes = [4]\n", {{.field = "u", .component = 0, .unit = "m s-1"}},
                              {{.field = "w", .component = 0, .unit = "Pa"}}, RandomStream(1, "weights")));
  CHECK(tests::says(tests::message_of([&] { SurrogateEnsemble ensemble(std::move(members)); }),
                    {"ensemble", "other inputs or outputs", "members of one run"}));
}
