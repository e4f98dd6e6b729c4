#pragma once
#include <locum/core/options.hpp>
#include <locum/core/random.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "operator.hpp"

namespace locum::operators {

/// Builds a model whose options are settled. @param weights  where its initial weights are drawn from
using Builder = std::function<std::shared_ptr<Operator>(std::int64_t input_channels, std::int64_t output_channels,
                                                        RandomStream weights)>;

/// One line of the table of models.
struct Model {
  std::string name;         ///< In case files and checkpoints: model.name.
  std::string description;  ///< For `locum list`.
  /// Reads the model's options from a section of a case file or checkpoint.
  std::function<Builder(OptionReader& options, const std::string& section)> configure;
};

/// All models there are.
const std::vector<Model>& models();

/// Reads `name` and the options of the model it names from section `section`.
/// @throws OptionError  naming the models there are, and the nearest name; or the option that is wrong.
Builder configure_model(OptionReader& options, const std::string& section);

}  // namespace locum::operators
