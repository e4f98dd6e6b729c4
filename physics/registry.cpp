#include "registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "darcy.hpp"

namespace locum::physics {

template <class Equation, class Options>
static EquationEntry equation(std::string name, std::string description)
{
  return {std::move(name), std::move(description),
          [](OptionReader& options, const std::string& section) -> std::unique_ptr<SteadyEquation> {
            Options own;
            options.read(section, own);
            return std::make_unique<Equation>(own);
          }};
}

const std::vector<EquationEntry>& equations()
{
  static const std::vector<EquationEntry> table = {
      equation<Darcy, DarcyOptions>("darcy", "Darcy flow −∇·(a∇u) = f in the unit square, u = 0 on its edge"),
  };
  return table;
}

std::unique_ptr<SteadyEquation> make_equation(const std::string& name, OptionReader& options,
                                              const std::string& section)
{
  std::vector<std::string> names;
  for (const EquationEntry& entry : equations()) {
    if (entry.name == name) return entry.make(options, section);
    names.push_back(entry.name);
  }
  const auto nearest = nearest_name(name, names);
  throw OptionError({.doing = "looking up an equation",
                     .where = fmt::format("[{}]", section),
                     .found = fmt::format("\"{}\"", name),
                     .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                     .advice = nearest.empty() ? "" : fmt::format("\"{}\"", nearest)});
}

}  // namespace locum::physics
