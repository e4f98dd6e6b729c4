#include <locum/physics/darcy.hpp>
#include <locum/physics/registry.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;

TEST_CASE("equations: made by name with the options of a case", "[physics]")
{
  OptionTable table;
  table.set("equation.permeability", std::string("lognormal"), "case.toml line 3");
  table.set("equation.forcing", std::int64_t{2}, "case.toml line 4");
  OptionReader options(table);
  const auto equation = physics::make_equation("darcy", options, "equation");
  options.refuse_unknown();
  const auto& darcy = dynamic_cast<const physics::Darcy&>(*equation);
  CHECK(darcy.options().permeability == physics::Permeability::lognormal);
  CHECK(darcy.options().forcing == 2);
  CHECK(darcy.options().high == 12);
}

TEST_CASE("equations: an unknown name is answered with the nearest", "[physics][error]")
{
  OptionReader options{OptionTable{}};
  const auto message = tests::message_of([&] { physics::make_equation("dracy", options, "equation"); });
  CHECK(tests::says(message, {"[equation]", "found \"dracy\"", "darcy", "try   \"darcy\""}));
}
