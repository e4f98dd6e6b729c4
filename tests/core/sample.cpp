#include <locum/core/sample.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;

static Sample velocity_and_pressure()
{
  Sample sample{.domain = Grid::cell_centres({4, 8}, {1, 2}), .fields = {}, .scalars = {}, .time = 0};
  sample.fields["velocity"] = {.values = torch::arange(3 * 2 * 4 * 8, torch::kFloat64).reshape({3, 2, 4, 8}),
                               .unit = "m s-1"};
  sample.fields["pressure"] = {.values = torch::ones({3, 1, 4, 8}, torch::kFloat64), .unit = "Pa"};
  return sample;
}

TEST_CASE("cell centres: half a cell from the edge, slowest axis first", "[core]")
{
  const auto grid = Grid::cell_centres({4, 8}, {1, 2});
  CHECK(grid.axes[0].name == "y");
  CHECK(grid.axes[1].name == "x");
  CHECK(grid.shape() == std::vector<std::int64_t>{4, 8});
  CHECK_THAT(grid.coordinates(0)[0].item<double>(), WithinAbs(0.125, 1e-15));
  CHECK_THAT(grid.coordinates(1)[7].item<double>(), WithinAbs(1.875, 1e-15));
}

TEST_CASE("channels: splitting undoes stacking, units and components kept", "[core][property]")
{
  const Sample sample = velocity_and_pressure();
  const auto channels = describe_channels(sample, {"velocity", "pressure"});
  const auto fields = split_channels(stack_channels(sample, {"velocity", "pressure"}), channels);
  CHECK(channels[1] == Channel{.field = "velocity", .component = 1, .unit = "m s-1"});
  for (const auto& [name, field] : sample.fields) {
    CHECK(torch::equal(fields.at(name).values, field.values));
    CHECK(fields.at(name).unit == field.unit);
  }
}

TEST_CASE("sample: a missing field is named with its neighbours", "[core][error]")
{
  const auto message = tests::message_of([] { velocity_and_pressure().field("presure"); });
  CHECK(tests::says(message, {"no field \"presure\"", "pressure, velocity", "try   \"pressure\""}));
}

TEST_CASE("check_finite: names sample, component and position of the first bad value", "[core][error]")
{
  Sample sample = velocity_and_pressure();
  sample.fields["velocity"].values.index_put_({1, 1, 2, 3}, std::nan(""));
  const auto message = tests::message_of([&] { check_finite(sample, "reading training samples", "flow.h5", 16); });
  CHECK(tests::says(message, {"flow.h5, field velocity", "nan at sample 17, component 1, position [2, 3]", "m s-1"}));
}
