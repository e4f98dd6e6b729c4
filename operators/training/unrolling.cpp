#include "unrolling.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/io/batches/windows.hpp>

#include <algorithm>

namespace locum::operators {

/// The channel of a field's component so many steps from now, if it is there.
static std::optional<std::int64_t> find(const std::vector<Channel>& channels, const std::string& field,
                                        std::int64_t step, std::int64_t component)
{
  const auto name = io::name_at(field, step);
  for (std::size_t i = 0; i < channels.size(); ++i)
    if (channels[i].field == name && channels[i].component == component) return static_cast<std::int64_t>(i);
  return std::nullopt;
}

Unrolling::Unrolling(const Surrogate& surrogate, const std::vector<Channel>& targets, std::int64_t steps)
{
  const auto& inputs = surrogate.inputs();
  const auto& outputs = surrogate.outputs();
  std::int64_t horizon = 0;
  for (const Channel& output : outputs) horizon = std::max(horizon, io::field_and_step(output.field).second);
  const auto refuse = [&](const std::string& found, const std::string& expected) {
    throw OptionError({.doing = "training on roll-outs",
                       .where = "training.rollout",
                       .found = found,
                       .expected = expected,
                       .advice = "inputs and outputs the same fields, data.horizon = 1"});
  };
  for (std::int64_t k = 0; k < steps; ++k) {
    std::vector<std::int64_t> channels;
    for (const Channel& output : outputs) {
      const auto [field, step] = io::field_and_step(output.field);
      const auto found = find(targets, field, step + k * horizon, output.component);
      if (!found)
        refuse(fmt::format("data without {}", io::name_at(field, step + k * horizon)), "all steps to predict");
      channels.push_back(*found);
    }
    truths_.push_back(torch::tensor(channels, torch::kInt64));
  }
  if (steps == 1) return;
  if (horizon == 0) refuse("outputs of now", "outputs after now");
  std::vector<std::int64_t> next;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto [field, step] = io::field_and_step(inputs[i].field);
    const auto predicted = find(outputs, field, step + horizon, inputs[i].component);
    const auto known = find(inputs, field, step + horizon, inputs[i].component);
    const bool evolves = find(outputs, field, horizon, inputs[i].component).has_value();
    if (evolves && !predicted && !known)
      refuse(fmt::format("{} without {} among the outputs", inputs[i].field, io::name_at(field, step + horizon)),
             "every step up to the last");
    next.push_back(predicted          ? static_cast<std::int64_t>(inputs.size()) + *predicted
                   : evolves && known ? *known
                                      : static_cast<std::int64_t>(i));
  }
  next_ = torch::tensor(next, torch::kInt64);
}

Tensor Unrolling::truth(const Tensor& targets, std::int64_t k) const
{
  return targets.index_select(1, truths_[static_cast<std::size_t>(k)].to(targets.device()));
}

Tensor Unrolling::next_inputs(const Tensor& inputs, const Tensor& prediction) const
{
  return torch::cat({inputs, prediction.to(inputs.scalar_type())}, 1).index_select(1, next_.to(inputs.device()));
}

}  // namespace locum::operators
