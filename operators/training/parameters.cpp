#include "parameters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <algorithm>

namespace locum::operators {

/// Whether `name` begins with one of `beginnings`.
static bool begins_with_any(const std::string& name, const std::vector<std::string>& beginnings)
{
  return std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& some) { return name.starts_with(some); });
}

Parameters::Parameters(torch::nn::Module& model, const ParameterOptions& options)
{
  const auto all = model.named_parameters();
  for (const auto* list : {&options.freeze, &options.slow})
    for (const std::string& beginning : *list) {
      const auto keys = all.keys();
      if (std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.starts_with(beginning); })) continue;
      throw OptionError({.doing = "choosing the parameters to train",
                         .where = list == &options.freeze ? "training.freeze" : "training.slow",
                         .found = fmt::format("\"{}\"", beginning),
                         .expected = fmt::format("the beginning of one of {}", fmt::join(keys, ", ")),
                         .advice = ""});
    }

  // Groups lie together in the vector; in each, the model's order.
  std::int64_t end = 0;
  for (const bool slow : {false, true})
    for (const bool decays : {true, false}) {
      const std::int64_t begin = end;
      for (const auto& item : all) {
        const Tensor& parameter = item.value();
        if (begins_with_any(item.key(), options.freeze)) {
          parameter.requires_grad_(false);
          continue;
        }
        if (begins_with_any(item.key(), options.slow) != slow) continue;
        if ((options.decay_biases || parameter.dim() > 1) != decays) continue;
        places_.push_back({.parameter = parameter, .offset = end});
        end += (parameter.numel() + line - 1) / line * line;
      }
      if (end > begin)
        groups_.push_back({.begin = begin, .end = end, .rate = slow ? options.slow_factor : 1, .decays = decays});
    }
  if (places_.empty())
    throw OptionError({.doing = "choosing the parameters to train",
                       .where = "training.freeze",
                       .found = fmt::format("[{}], which are all there are", fmt::join(options.freeze, ", ")),
                       .expected = "some of them",
                       .advice = ""});

  torch::NoGradGuard no_gradients;
  const auto like = places_.front().parameter.options().requires_grad(false);
  values = torch::zeros({end}, like);
  gradients = torch::zeros({end}, like);
  for (std::int64_t i = 0; i < count(); ++i) {
    Tensor& parameter = places_[static_cast<std::size_t>(i)].parameter;
    const Tensor view = part(values, i);
    view.copy_(parameter);
    parameter.set_data(view);
  }
}

void Parameters::step_only(const std::vector<Range>& ranges)
{
  std::vector<Group> own;
  for (const Group& group : groups_)
    for (const Range& range : ranges) {
      Group part = group;
      part.begin = std::max(group.begin, range.begin);
      part.end = std::min(group.end, range.end);
      if (part.begin < part.end) own.push_back(part);
    }
  groups_ = std::move(own);
}

void Parameters::forget_gradients()
{
  for (Place& place : places_) place.parameter.mutable_grad() = Tensor();
}

void Parameters::collect_gradient(std::int64_t i)
{
  torch::NoGradGuard no_gradients;
  const Tensor& gradient = parameter(i).grad();
  const Tensor place = part(gradients, i);
  if (gradient.defined()) place.copy_(gradient);
  else place.zero_();
}

Tensor Parameters::part(const Tensor& vector, std::int64_t i) const
{
  const Place& place = places_[static_cast<std::size_t>(i)];
  return vector.narrow(0, place.offset, place.parameter.numel()).view(place.parameter.sizes());
}

}  // namespace locum::operators
