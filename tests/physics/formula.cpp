#include <locum/physics/formula.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::physics;
using locum::tests::message_of;
using locum::tests::says;

static const Vocabulary plane{.fields = {"psi1", "q1", "u"}, .axes = {"y", "x"}};

TEST_CASE("formula: what is printed means the same", "[physics][formula]")
{
  const auto [text, printed] = GENERATE(table<const char*, const char*>({
      {"u*dx(u)", "u*dx(u)"},
      {" u ^ 2 * dxxxx( u ) ", "u^2*dxxxx(u)"},
      {"dx(dx(u))", "dx(dx(u))"},
      {"jacobian(psi1, q1+0.2*y)", "jacobian(psi1, q1 + 0.2*y)"},
      {"-0.5*u^3 - (u + q1)*2e-3", "-0.5*u^3 - (u + q1)*0.002"},
      {"-u*dx(u)", "-u*dx(u)"},
      {"(u*q1)^2", "(u*q1)^2"},
      {"u - 2 - -3", "u - 2 + 3"},
      {"laplacian(dx(psi1) + dy(psi1))", "laplacian(dx(psi1) + dy(psi1))"},
  }));
  const Formula formula = Formula::parse(text);
  CHECK(formula.text() == printed);
  CHECK((Formula::parse(formula.text()).expand(plane) == formula.expand(plane)));
}

TEST_CASE("formula: LaTeX", "[physics][formula]")
{
  CHECK(Formula::parse("u^2*dxxxx(u)").latex() == "u^{2}\\,\\partial_x^{4} u");
  CHECK(Formula::parse("-0.5*jacobian(psi1, q_1)").latex() == "-0.5\\,J(\\psi_{1}, q_{1})");
  CHECK(Formula::parse("dxy(u + mask)").latex() == "\\partial_x\\partial_y (u + \\mathrm{mask})");
  CHECK(Formula::parse("laplacian(psi)").latex() == "\\nabla^2 \\psi");
}

TEST_CASE("formula: derivatives are carried out by the product rule", "[physics][formula]")
{
  const auto expand = [](const char* text) { return Formula::parse(text).expand(plane); };
  CHECK((expand("dx(u^2)") == expand("2*u*dx(u)")));
  CHECK((expand("dxx(u*q1)") == expand("u*dxx(q1) + 2*dx(u)*dx(q1) + dxx(u)*q1")));
  CHECK((expand("jacobian(psi1, q1)") == expand("dx(psi1)*dy(q1) - dy(psi1)*dx(q1)")));
  CHECK((expand("jacobian(psi1, q1 + 0.2*y)") == expand("jacobian(psi1, q1) + 0.2*dx(psi1)")));
  CHECK(expand("jacobian(u, u)").empty());
  CHECK((expand("laplacian(y^2*u)") == expand("y^2*dxx(u) + y^2*dyy(u) + 4*y*dy(u) + 2*u")));
  CHECK((expand("(u + 1)^3") == expand("u^3 + 3*u^2 + 3*u + 1")));
}

TEST_CASE("formula: what is none is refused where it goes wrong", "[physics][formula][error]")
{
  const auto refused = [](const char* text) { return message_of([&] { Formula::parse(text); }); };
  CHECK(says(refused("u*"), {"\"u*\", character 3", "its end", "a field, a function, a number"}));
  CHECK(says(refused("u dx(u)"), {"character 3", "found \"dx(u)\"", "an operator"}));
  CHECK(says(refused("sin(u)"), {"character 1", "sin(u)", "dx(a), dxy(a), laplacian(a), jacobian(a, b)"}));
  CHECK(says(refused("jacobian(u)"), {"jacobian(a, b)"}));
  CHECK(says(refused("dx(u"), {"its end", "\")\""}));
  CHECK(says(refused("u^-1"), {"a whole number"}));
  CHECK(says(refused("u^12"), {"a whole number below 10"}));
  CHECK(says(refused(std::string(1000, '(').c_str()), {"fewer parentheses"}));
  CHECK(says(message_of([] { Formula::parse("u*dx(psi)").expand(plane); }), {"\"psi\"", "psi1, q1, u, y, x"}));
  CHECK(says(message_of([] { Formula::parse("dz(u)").expand(plane); }), {"no axis z", "y, x"}));
}
