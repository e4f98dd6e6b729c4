#include "formula.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace locum::physics {

// ---- Reading

class FormulaParser {
 public:
  explicit FormulaParser(const std::string& text) : text_(text) {}

  Formula whole()
  {
    Formula formula = sum();
    if (skip() != '\0') refuse("an operator, or the end");
    return formula;
  }

 private:
  using Kind = Formula::Kind;

  static Formula make(Kind kind, std::vector<Formula> arguments)
  {
    Formula made;
    made.kind_ = kind;
    made.arguments_ = std::move(arguments);
    return made;
  }
  static Formula number(double value)
  {
    Formula made = make(Kind::number, {});
    made.number_ = value;
    return made;
  }
  static Formula negative(Formula of)
  {
    if (of.kind_ == Kind::number) return number(-of.number_);
    return make(Kind::product, {number(-1), std::move(of)});
  }

  Formula sum()
  {
    std::vector<Formula> terms = {product()};
    for (char sign = skip(); sign == '+' || sign == '-'; sign = skip()) {
      ++at_;
      Formula next = product();
      terms.push_back(sign == '-' ? negative(std::move(next)) : std::move(next));
    }
    return terms.size() == 1 ? terms.front() : make(Kind::sum, std::move(terms));
  }
  Formula product()
  {
    std::vector<Formula> factors = {power()};
    while (skip() == '*') {
      ++at_;
      factors.push_back(power());
    }
    return factors.size() == 1 ? factors.front() : make(Kind::product, std::move(factors));
  }
  Formula power()
  {
    Formula base = value();
    if (skip() != '^') return base;
    ++at_;
    skip();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
    if (at_ != begin + 1) {
      at_ = begin;
      refuse("a whole number below 10");
    }
    Formula made = make(Kind::power, {std::move(base)});
    made.exponent_ = std::stoi(text_.substr(begin, at_ - begin));
    return made;
  }
  Formula value()
  {
    const char next = skip();
    if (next == '-') {
      ++at_;
      return negative(power());
    }
    if (next == '(') {
      Nesting nesting(*this);
      ++at_;
      Formula inside = sum();
      expect(')');
      return inside;
    }
    if (std::isdigit(static_cast<unsigned char>(next)) || next == '.') {
      const char* const begin = text_.c_str() + at_;
      char* end = nullptr;
      const double value = std::strtod(begin, &end);
      if (end == begin) refuse("a number");
      at_ += static_cast<std::size_t>(end - begin);
      return number(value);
    }
    if (!std::isalpha(static_cast<unsigned char>(next))) refuse("a field, a function, a number or a parenthesis");
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
    const std::string word = text_.substr(begin, at_ - begin);
    if (skip() != '(') {
      Formula made = make(Kind::name, {});
      made.name_ = word;
      return made;
    }
    return function(word, begin);
  }
  Formula function(const std::string& word, std::size_t begin)
  {
    Nesting nesting(*this);
    ++at_;
    std::vector<Formula> arguments = {sum()};
    while (skip() == ',') {
      ++at_;
      arguments.push_back(sum());
    }
    expect(')');
    const bool derivative =
        word.size() > 1 && word.size() < 20 && word[0] == 'd' && word.find_first_not_of("xyz", 1) == std::string::npos;
    const std::size_t wanted = word == "jacobian" ? 2 : 1;
    if ((derivative || word == "laplacian" || word == "jacobian") && arguments.size() == wanted) {
      Formula made = make(derivative            ? Kind::derivative
                          : word == "laplacian" ? Kind::laplacian
                                                : Kind::jacobian,
                          std::move(arguments));
      if (derivative) made.name_ = word.substr(1);
      return made;
    }
    at_ = begin;
    refuse("a function of as many arguments: dx(a), dxy(a), laplacian(a), jacobian(a, b)");
  }

  /// Parentheses within parentheses: a hundred are a mistake.
  struct Nesting {
    explicit Nesting(FormulaParser& parser) : of(parser)
    {
      if (++of.depth_ > 100) of.refuse("fewer parentheses within each other");
    }
    ~Nesting() { --of.depth_; }
    FormulaParser& of;
  };

  char skip()
  {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(char wanted)
  {
    if (skip() != wanted) refuse(fmt::format("\"{}\"", wanted));
    ++at_;
  }
  [[noreturn]] void refuse(const std::string& expected)
  {
    throw OptionError({.doing = "reading a formula",
                       .where = fmt::format("\"{}\", character {}", text_, at_ + 1),
                       .found = at_ < text_.size() ? fmt::format("\"{}\"", text_.substr(at_)) : "its end",
                       .expected = expected,
                       .advice = "u*dx(u), dxxxx(u), jacobian(psi1, q1 + 0.2*y), -0.5*u^3"});
  }

  const std::string& text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

Formula Formula::parse(const std::string& text) { return FormulaParser(text).whole(); }

// ---- Writing

std::string Formula::text() const
{
  const auto within_product = [](const Formula& part) {
    return part.kind_ == Kind::sum ? "(" + part.text() + ")" : part.text();
  };
  std::string text;
  switch (kind_) {
    case Kind::number:
      return fmt::format("{}", number_);
    case Kind::name:
      return name_;
    case Kind::sum:
      for (const Formula& part : arguments_) {
        const std::string next = part.text();
        if (text.empty()) text = next;
        else text += next[0] == '-' ? " - " + next.substr(1) : " + " + next;
      }
      return text;
    case Kind::product:
      for (const Formula& part : arguments_) {
        const bool sign = &part == &arguments_.front() && part.kind_ == Kind::number && part.number_ == -1;
        text += sign ? "-" : within_product(part) + (&part == &arguments_.back() ? "" : "*");
      }
      return text;
    case Kind::power: {
      const Formula& base = arguments_.front();
      const bool plain = base.kind_ == Kind::name || base.kind_ == Kind::derivative || base.kind_ == Kind::laplacian ||
                         base.kind_ == Kind::jacobian;
      return fmt::format("{}^{}", plain ? base.text() : "(" + base.text() + ")", exponent_);
    }
    case Kind::derivative:
      return fmt::format("d{}({})", name_, arguments_[0].text());
    case Kind::laplacian:
      return fmt::format("laplacian({})", arguments_[0].text());
    case Kind::jacobian:
      return fmt::format("jacobian({}, {})", arguments_[0].text(), arguments_[1].text());
  }
  return text;
}

/// "psi1" and "psi_1" as \psi_{1}, "u" as u, "mask" as \mathrm{mask}.
static std::string latex_name(const std::string& name)
{
  static const std::vector<std::string> greek = {"alpha", "beta",  "gamma", "delta", "zeta", "eta",
                                                 "theta", "kappa", "mu",    "nu",    "xi",   "rho",
                                                 "sigma", "tau",   "phi",   "psi",   "omega"};
  std::size_t end = name.size();
  while (end > 1 && std::isdigit(static_cast<unsigned char>(name[end - 1]))) --end;
  if (end == name.size() && name.find('_') != std::string::npos) end = name.rfind('_') + 1;
  const std::string index = name.substr(end);
  std::string stem = name.substr(0, end);
  if (stem.size() > 1 && stem.back() == '_') stem.pop_back();
  const bool is_greek = std::find(greek.begin(), greek.end(), stem) != greek.end();
  std::string latex = is_greek ? "\\" + stem : stem.size() == 1 ? stem : "\\mathrm{";
  if (!is_greek && stem.size() > 1) {
    for (const char c : stem) latex += c == '_' ? std::string("\\ ") : std::string(1, c);
    latex += "}";
  }
  return index.empty() ? latex : fmt::format("{}_{{{}}}", latex, index);
}

std::string Formula::latex() const
{
  const auto within = [](const Formula& part) {
    const bool sum = part.kind_ == Kind::sum || part.kind_ == Kind::product;
    return sum ? "(" + part.latex() + ")" : part.latex();
  };
  std::string text;
  switch (kind_) {
    case Kind::number:
      return fmt::format("{}", number_);
    case Kind::name:
      return latex_name(name_);
    case Kind::sum:
      for (const Formula& part : arguments_) {
        const std::string next = part.latex();
        if (text.empty()) text = next;
        else text += next[0] == '-' ? " - " + next.substr(1) : " + " + next;
      }
      return text;
    case Kind::product:
      for (const Formula& part : arguments_) {
        const bool first = &part == &arguments_.front();
        if (first && part.kind_ == Kind::number && part.number_ == -1) text = "-";
        else
          text += (text.empty() || text == "-" ? "" : "\\,") +
                  (part.kind_ == Kind::sum ? "(" + part.latex() + ")" : part.latex());
      }
      return text;
    case Kind::power: {
      const Formula& base = arguments_.front();
      return fmt::format("{}^{{{}}}", base.kind_ == Kind::name ? base.latex() : "(" + base.latex() + ")", exponent_);
    }
    case Kind::derivative: {
      for (const char axis : {'x', 'y', 'z'}) {
        const auto times = std::count(name_.begin(), name_.end(), axis);
        if (times == 1) text += fmt::format("\\partial_{}", axis);
        if (times > 1) text += fmt::format("\\partial_{}^{{{}}}", axis, times);
      }
      return text + " " + within(arguments_[0]);
    }
    case Kind::laplacian:
      return "\\nabla^2 " + within(arguments_[0]);
    case Kind::jacobian:
      return fmt::format("J({}, {})", arguments_[0].latex(), arguments_[1].latex());
  }
  return text;
}

// ---- Sums of products

static void add(Polynomial& to, const Polynomial& more, double factor)
{
  for (const auto& [monomial, coefficient] : more) {
    const double sum = to[monomial] += factor * coefficient;
    if (sum == 0) to.erase(monomial);
  }
}

static Polynomial multiply(const Polynomial& a, const Polynomial& b)
{
  Polynomial product;
  for (const auto& [left, left_coefficient] : a)
    for (const auto& [right, right_coefficient] : b) {
      Monomial both = left;
      both.insert(both.end(), right.begin(), right.end());
      std::sort(both.begin(), both.end());
      add(product, {{both, left_coefficient * right_coefficient}}, 1);
    }
  return product;
}

static Polynomial differentiate(const Polynomial& of, char along, const Vocabulary& known)
{
  const std::string axis(1, along);
  if (std::find(known.axes.begin(), known.axes.end(), axis) == known.axes.end())
    throw OptionError({.doing = "differentiating a formula",
                       .where = fmt::format("d{}(…)", along),
                       .found = "no axis " + axis,
                       .expected = fmt::format("one of {}", fmt::join(known.axes, ", ")),
                       .advice = ""});
  Polynomial sum;
  for (const auto& [monomial, coefficient] : of)
    for (std::size_t i = 0; i < monomial.size(); ++i) {
      Monomial term = monomial;
      const bool field = std::find(known.fields.begin(), known.fields.end(), term[i].name) != known.fields.end();
      if (!field && term[i].name != axis) continue;  // another coordinate
      if (field) ++term[i].derivatives[static_cast<std::size_t>(along - 'x')];
      else term.erase(term.begin() + static_cast<std::ptrdiff_t>(i));
      std::sort(term.begin(), term.end());
      add(sum, {{term, coefficient}}, 1);
    }
  return sum;
}

Polynomial Formula::expand(const Vocabulary& known) const
{
  const auto argument = [&](std::size_t i) { return arguments_[i].expand(known); };
  Polynomial result;
  switch (kind_) {
    case Kind::number:
      if (number_ != 0) result[{}] = number_;
      return result;
    case Kind::name: {
      std::vector<std::string> names = known.fields;
      names.insert(names.end(), known.axes.begin(), known.axes.end());
      if (std::find(names.begin(), names.end(), name_) == names.end()) {
        const auto nearest = nearest_name(name_, names);
        throw OptionError({.doing = "reading a formula",
                           .where = fmt::format("\"{}\"", name_),
                           .found = "no field or coordinate of this name",
                           .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                           .advice = nearest});
      }
      return {{{Factor{name_, {}}}, 1.0}};
    }
    case Kind::sum:
      for (std::size_t i = 0; i < arguments_.size(); ++i) add(result, argument(i), 1);
      return result;
    case Kind::product:
      result = {{{}, 1.0}};
      for (std::size_t i = 0; i < arguments_.size(); ++i) result = multiply(result, argument(i));
      return result;
    case Kind::power:
      result = {{{}, 1.0}};
      for (int i = 0; i < exponent_; ++i) result = multiply(result, argument(0));
      return result;
    case Kind::derivative:
      result = argument(0);
      for (const char axis : name_) result = differentiate(result, axis, known);
      return result;
    case Kind::laplacian:
      for (const std::string& axis : known.axes)
        add(result, differentiate(differentiate(argument(0), axis[0], known), axis[0], known), 1);
      return result;
    case Kind::jacobian: {
      const Polynomial a = argument(0), b = argument(1);
      add(result, multiply(differentiate(a, 'x', known), differentiate(b, 'y', known)), 1);
      add(result, multiply(differentiate(a, 'y', known), differentiate(b, 'x', known)), -1);
      return result;
    }
  }
  return result;
}

}  // namespace locum::physics
