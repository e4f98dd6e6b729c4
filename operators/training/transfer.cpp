#include "transfer.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <algorithm>

namespace locum::operators {

void begin_with(Surrogate& surrogate, Surrogate& learnt)
{
  torch::NoGradGuard no_gradients;
  const auto &inputs = surrogate.inputs(), &old_inputs = learnt.inputs();
  // Columns of the first map: the channels, then what the model adds itself, coordinates.
  std::vector<std::int64_t> columns;
  for (const Channel& channel : old_inputs) {
    const auto found = std::find(inputs.begin(), inputs.end(), channel);
    if (found == inputs.end())
      throw OptionError(
          {.doing = "beginning with what " + learnt.description() + " has learnt",
           .where = "training.start_from",
           .found = fmt::format("inputs without {}[{}] in {}", channel.field, channel.component, channel.unit),
           .expected = "all that it reads, and perhaps more",
           .advice = "data.inputs, data.history"});
    columns.push_back(found - inputs.begin());
  }
  const auto added = static_cast<std::int64_t>(inputs.size()) - static_cast<std::int64_t>(old_inputs.size());
  const auto theirs = learnt.model().named_parameters();
  for (auto& item : surrogate.model().named_parameters()) {
    Tensor& ours = item.value();
    const Tensor* const old = theirs.find(item.key());
    if (old && old->sizes() == ours.sizes()) {
      ours.copy_(*old);
      continue;
    }
    const bool reads_inputs = added > 0 && old && ours.dim() == 2 && old->dim() == 2 && ours.size(0) == old->size(0) &&
                              ours.size(1) == old->size(1) + added &&
                              old->size(1) >= static_cast<std::int64_t>(old_inputs.size());
    if (!reads_inputs)
      throw OptionError({.doing = "beginning with what " + learnt.description() + " has learnt",
                         .where = "weight " + item.key(),
                         .found = old ? "shape " + to_string(old->sizes()) : "none of that name",
                         .expected = "shape " + to_string(ours.sizes()),
                         .advice = "the same [model], which `locum info` tells of the checkpoint"});
    auto all = columns;
    for (auto own = static_cast<std::int64_t>(old_inputs.size()); own < old->size(1); ++own) all.push_back(own + added);
    ours.zero_();
    ours.index_copy_(1, torch::tensor(all, torch::kInt64), old->to(ours.scalar_type()));
  }
  if (inputs == old_inputs && surrogate.outputs() == learnt.outputs()) {
    surrogate.input_normaliser = learnt.input_normaliser;
    surrogate.output_normaliser = learnt.output_normaliser;
  }
}

}  // namespace locum::operators
