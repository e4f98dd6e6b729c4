#include <locum/operators/training/transfer.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "waves.hpp"

using namespace locum;
using namespace locum::operators;
using tests::message_of;
using tests::says;

static Surrogate with_inputs(const std::vector<std::string>& fields, const std::string& more = "",
                             std::uint64_t seed = 5)
{
  std::vector<Channel> inputs;
  for (const auto& field : fields) inputs.push_back({.field = field, .component = 0, .unit = "m s-1"});
  return Surrogate("name = \"fourier\"\nmodes = [4]\nlayers = 2\n" + (more.empty() ? "width = 8\n" : more), inputs,
                   {{.field = "v", .component = 0, .unit = "Pa"}}, RandomStream(seed, "weights"), torch::kFloat64);
}

TEST_CASE("fine-tuning: begins with the weights of another surrogate, also with more inputs", "[operators]")
{
  auto learnt = with_inputs({"u"});
  auto same = with_inputs({"u"}, "", 6), more = with_inputs({"q", "u"}, "", 7);
  begin_with(same, learnt);
  CHECK(tests::same_weights(same, learnt));
  begin_with(more, learnt);
  const Tensor u = RandomStream(1, "u").normal({3, 1, 16}), q = RandomStream(1, "q").normal({3, 1, 16});
  CHECK(torch::allclose(more.model().forward(torch::cat({q, u}, 1)), learnt.model().forward(u), 1e-12, 1e-14));

  auto other = with_inputs({"q"}), wider = with_inputs({"u"}, "width = 9\n");
  CHECK(says(message_of([&] { begin_with(other, learnt); }), {"training.start_from", "without u[0]"}));
  CHECK(says(message_of([&] { begin_with(wider, learnt); }), {"weight ", "shape [8", "shape [9"}));
}
