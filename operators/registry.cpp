#include "registry.hpp"

#include "fourier.hpp"

namespace locum::operators {

template <class Module, class Options>
static Model model(std::string name, std::string description)
{
  return {std::move(name), std::move(description), [](OptionReader& reader, const std::string& section) -> Builder {
            Options options;
            reader.read(section, options);
            return [options](std::int64_t input_channels, std::int64_t output_channels, RandomStream weights) {
              return std::make_shared<Module>(options, input_channels, output_channels, std::move(weights));
            };
          }};
}

const std::vector<Model>& models()
{
  static const std::vector<Model> table = {
      // self-registering objects get lost in a static library
      model<FourierOperator, FourierOptions>("fourier",
                                             "Fourier neural operator (Li et al. 2021; Kovachki et al. 2023)"),
  };
  return table;
}

namespace {

struct Choice {
  std::string name = "fourier";
  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("name", name, "which model: see `locum list`");
  }
};

}  // namespace

Builder configure_model(OptionReader& options, const std::string& section)
{
  Choice choice;
  options.read(section, choice);
  std::vector<std::string> names;
  for (const Model& model : models()) {
    if (model.name == choice.name) return model.configure(options, section);
    names.push_back(model.name);
  }
  const auto nearest = nearest_name(choice.name, names);
  throw OptionError({.doing = "choosing the model",
                     .where = "model.name",
                     .found = fmt::format("\"{}\"", choice.name),
                     .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                     .advice = nearest.empty() ? "`locum list`" : fmt::format("name = \"{}\"", nearest)});
}

void Operator::keep_modes(double, bool)
{
  throw OptionError({.doing = "training with few modes at first",
                     .where = "training.modes_from",
                     .found = "a model without Fourier modes",
                     .expected = "one that has them",
                     .advice = "modes_from = 1.0"});
}

}  // namespace locum::operators
