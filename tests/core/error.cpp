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

TEST_CASE("nearest name: a name of millions of bytes costs nothing", "[core][error]")
{
  CHECK(nearest_name(std::string(50'000'000, 'a'), {"epochs", std::string(50'000'000, 'a')}) == "");
}

TEST_CASE("an error is UTF-8 text without commands to the terminal, whatever a file held", "[core][error]")
{
  const DataError error({.doing = "reading",
                         .where = "a.h5:/\x1b[2Jtemp\xe9rature",
                         .found = "tab\tand line\nand 20 °C",
                         .expected = std::string(10'000, 'x'),
                         .advice = ""});
  const std::string text = error.what();
  CHECK(text.starts_with("reading: a.h5:/\\x1b[2Jtemp\\xe9rature\n  found tab\tand line\nand 20 °C; expected xxx"));
  CHECK(text.ends_with("xxx… (10000 bytes)"));
  CHECK(error.report().where == "a.h5:/\x1b[2Jtemp\xe9rature");  // untouched
}
