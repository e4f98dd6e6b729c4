#include <locum/core/error.hpp>

#include "support/catch.hpp"

using namespace locum;

TEST_CASE("an error reads as task, place, found, expected and remedy", "[core][error]")
{
  const DataError error({.doing = "reading training samples",
                         .where = "burgers.h5:/t0_fields/u",
                         .found = "2 axes, [1000, 201]",
                         .expected = "3 axes, [sample, step, x]",
                         .advice = "attribute time_varying = false if it has no time axis"});
  CHECK(std::string(error.what()) ==
        "reading training samples: burgers.h5:/t0_fields/u\n"
        "  found 2 axes, [1000, 201]; expected 3 axes, [sample, step, x]\n"
        "  try   attribute time_varying = false if it has no time axis");
}

TEST_CASE("nearest name: finds slips of the keyboard, not other words", "[core][error]")
{
  const std::vector<std::string> known = {"epochs", "batch", "rate", "optimiser"};
  CHECK(nearest_name("epoch", known) == "epochs");
  CHECK(nearest_name("bacth", known) == "batch");
  CHECK(nearest_name("optimizer", known) == "optimiser");
  CHECK(nearest_name("permeability", known) == "");
}
