#pragma once
#include <array>
#include <compare>
#include <map>
#include <string>
#include <vector>

namespace locum::physics {

/// A field or a coordinate, differentiated so often by x, y and z.
struct Factor {
  std::string name;
  std::array<int, 3> derivatives = {};

  auto operator<=>(const Factor&) const = default;
};

/// A product of factors, in order, each as often as its power; of none: 1.
using Monomial = std::vector<Factor>;
/// A sum of monomials, each with its coefficient; none is zero.
using Polynomial = std::map<Monomial, double>;

/// What a formula may speak of.
struct Vocabulary {
  std::vector<std::string> fields;
  std::vector<std::string> axes;  ///< Those of the grid; they are coordinates, too, where no field has the name.
};

/// A term of an equation, as its user writes it: "u*dx(u)", "dxxxx(u)", "jacobian(psi1, q1 + 0.2*y)", "-0.5*u^3".
///
///     sum      = product { ("+" | "-") product }
///     product  = power { "*" power }
///     power    = value [ "^" whole number ]
///     value    = number | name | function "(" sum { "," sum } ")" | "(" sum ")" | "-" power
///     function = "d" and letters of x, y, z: derivatives | "laplacian" | "jacobian": ∂a/∂x ∂b/∂y − ∂a/∂y ∂b/∂x
class Formula {
 public:
  enum class Kind { number, name, sum, product, power, derivative, laplacian, jacobian };

  /// @throws OptionError  with the place and what was expected there, if it is no formula.
  static Formula parse(const std::string& text);

  /// As parse() reads it, with the fewest parentheses and without spaces within products.
  std::string text() const;
  /// As a formula of LaTeX: "u\,\partial_x u", "J(\psi_1, q_1)".
  std::string latex() const;
  /// Sum of products, derivatives carried out by the product rule.
  /// @throws OptionError  if a name is neither field nor axis, or a derivative is along no axis of the grid.
  Polynomial expand(const Vocabulary& known) const;

 private:
  friend class FormulaParser;

  Kind kind_ = Kind::number;
  double number_ = 0;
  std::string name_;  // or the letters of a derivative
  int exponent_ = 1;
  std::vector<Formula> arguments_;
};

}  // namespace locum::physics
