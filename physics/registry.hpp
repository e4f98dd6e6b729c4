#pragma once
#include <locum/core/options.hpp>

#include <memory>
#include <string>
#include <vector>

#include "equation.hpp"

namespace locum::physics {

/// An equation that case files can name.
struct EquationEntry {
  std::string name;
  std::string description;
  /// Reads the equation's options from `section` and makes it. @throws OptionError  if one is out of range.
  std::unique_ptr<Equation> (*make)(OptionReader& options, const std::string& section);
};

/// All equations there are.
const std::vector<EquationEntry>& equations();

/// The equation called `name`, its options read from section `section` of a case.
/// @throws OptionError  naming the equations there are, if `name` is none of them; or as its constructor does.
std::unique_ptr<Equation> make_equation(const std::string& name, OptionReader& options, const std::string& section);

}  // namespace locum::physics
