#include <locum/io/checkpoints/arrays.hpp>
#include <locum/operators/neuraloperator.hpp>

#include <cstdlib>
#include <filesystem>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::operators;
using tests::message_of;
using tests::says;

TEST_CASE("neuraloperator: its weights give its outputs", "[operators][data]")
{
  const char* folder = std::getenv("LOCUM_DATA");
  const auto file = std::filesystem::path(folder ? folder : "") / "golden/neuraloperator_fno.h5";
  if (!folder || !std::filesystem::exists(file)) {
    WARN("skipped: needs LOCUM_DATA/golden/neuraloperator_fno.h5");
    return;
  }
  const auto [group, grids] = GENERATE_COPY(std::pair{std::string("/fno1d"), std::vector{16, 17, 32}},
                                            std::pair{std::string("/fno2d"), std::vector{15, 16, 24}},
                                            std::pair{std::string("/fno2d_nomlp"), std::vector{16}});
  CAPTURE(group);
  const auto weights = io::read_arrays({file, group + "/weights"});
  auto single = from_neuraloperator(weights, {}), precise = from_neuraloperator(weights, {.type = torch::kFloat64});
  for (const int n : grids) {
    CAPTURE(n);
    const Tensor x = io::read_array({file, group + "/x_" + std::to_string(n)}),
                 y = io::read_array({file, group + "/y_" + std::to_string(n)});
    CHECK(tests::relative_distance(single.predict(x), y) < 1e-5);
    CHECK(tests::relative_distance(precise.predict(x), y) < 1e-5);  // theirs were computed in float32
  }
}

TEST_CASE("neuraloperator: weights of other models are refused by name", "[operators][error]")
{
  std::map<std::string, Tensor> weights;
  const auto refused = [&](const NeuraloperatorModel& model = {}) {
    return message_of([&] { from_neuraloperator(weights, model); });
  };
  weights["lifting.fcs.0.weight"] = torch::zeros({16, 3, 1});
  CHECK(says(refused(), {"no \"fno_blocks.convs.0.weight.tensor\""}));
  weights["fno_blocks.convs.0.weight.tensor"] = torch::zeros({8, 8, 4, 3});
  CHECK(says(refused(), {"[8, 8, 4, 3]", "real and imaginary part"}));
  weights["fno_blocks.convs.0.weight.tensor"] = torch::zeros({8, 8, 4, 3, 2});
  weights["projection.fcs.0.weight"] = torch::zeros({16, 8, 1});
  weights["projection.fcs.1.weight"] = torch::zeros({1, 16, 1});
  CHECK(says(refused(), {"no \"lifting.fcs."}));
  for (const auto& [name, shape] :
       std::map<std::string, std::vector<std::int64_t>>{{"lifting.fcs.0.bias", {16}},
                                                        {"lifting.fcs.1.weight", {8, 16, 1}},
                                                        {"lifting.fcs.1.bias", {8}},
                                                        {"projection.fcs.0.bias", {16}},
                                                        {"projection.fcs.1.bias", {1}},
                                                        {"fno_blocks.convs.0.bias", {8, 1, 1}},
                                                        {"fno_blocks.fno_skips.0.conv.weight", {8, 8, 1}}})
    weights[name] = torch::zeros(shape);
  CHECK(from_neuraloperator(weights, {}).inputs().size() == 1);  // two of three are the position
  CHECK(from_neuraloperator(weights, {.grid_embedding = false}).inputs().size() == 3);
  weights["fno_blocks.norm.0.weight"] = torch::zeros({8});
  CHECK(says(refused(), {"\"fno_blocks.norm.0.weight\"", "without norm"}));
}
