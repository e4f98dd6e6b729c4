#include "neuraloperator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <set>

namespace locum::operators {

namespace {

/// A state dict that knows which of its entries were asked for.
class StateDict {
 public:
  explicit StateDict(const std::map<std::string, Tensor>& weights) : weights_(weights) {}

  bool has(const std::string& name) const { return weights_.count(name) > 0; }
  const Tensor& operator[](const std::string& name)
  {
    used_.insert(name);
    const auto found = weights_.find(name);
    if (found != weights_.end()) return found->second;
    refuse("no \"" + name + "\"", "the weights of an FNO");
  }
  [[noreturn]] static void refuse(const std::string& found, const std::string& expected)
  {
    throw DataError({.doing = "reading neuraloperator's weights",
                     .where = "",
                     .found = found,
                     .expected = expected,
                     .advice = "an FNO with dense weights, soft-gating channel skips and linear skips, the defaults"});
  }
  void refuse_unused() const
  {
    for (const auto& [name, tensor] : weights_)
      if (!used_.count(name)) refuse("\"" + name + "\"", "no weights beyond those of an FNO without norm");
  }

 private:
  const std::map<std::string, Tensor>& weights_;
  std::set<std::string> used_;
};

/// The weight that stands there for one of ours.
Tensor their_weight(StateDict& weights, const std::string& ours)
{
  const auto dot = ours.find('.');
  const auto part = ours.substr(0, dot), rest = ours.substr(dot + 1);
  const auto in_stack = [&](const std::string& where) {  // two maps, hidden and output
    const bool hidden = rest.find("hidden") != std::string::npos;
    return weights[where + (hidden ? ".fcs.0" : ".fcs.1") + rest.substr(rest.rfind('.'))];
  };
  if (part == "lifting" || part == "projection") return in_stack(part);
  const auto layer = part.substr(std::string("layer_").size());
  if (rest.starts_with("mlp.")) return in_stack("fno_blocks.channel_mlp." + layer);
  if (rest == "gate") return weights["fno_blocks.channel_mlp_skips." + layer + ".weight"];
  if (rest == "skip.weight") return weights["fno_blocks.fno_skips." + layer + ".conv.weight"];
  if (rest == "skip.bias") return weights["fno_blocks.convs." + layer + ".bias"];
  // [input, output, (z, y,) x, part] there; [x, (y, z,) part, input, output] here.
  const Tensor& spectral = weights["fno_blocks.convs." + layer + ".weight.tensor"];
  std::vector<std::int64_t> order;
  for (std::int64_t axis = spectral.dim() - 2; axis >= 2; --axis) order.push_back(axis);
  order.insert(order.end(), {spectral.dim() - 1, 0, 1});
  return spectral.permute(order);
}

std::vector<Channel> channels(const std::string& name, std::int64_t count)
{
  std::vector<Channel> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back({.field = name, .component = i, .unit = "1"});
  return all;
}

}  // namespace

Surrogate from_neuraloperator(const std::map<std::string, Tensor>& weights, const NeuraloperatorModel& model)
{
  StateDict dict(weights);
  const Tensor spectral = dict["fno_blocks.convs.0.weight.tensor"];
  const std::int64_t axes = spectral.dim() - 3;
  if (axes < 1 || axes > 3 || spectral.size(-1) != 2)
    StateDict::refuse(fmt::format("fno_blocks.convs.0.weight.tensor of shape {}", to_string(spectral.sizes())),
                      "[input, output, (z, y,) x, 2], the last axis real and imaginary part");
  std::vector<std::int64_t> modes;
  for (std::int64_t axis = 0; axis < axes; ++axis) modes.push_back(spectral.size(2 + axis));
  modes.back() = std::max<std::int64_t>(1, 2 * (modes.back() - 1));  // there, half of them and 0 are kept
  std::int64_t layers = 0;
  while (dict.has(fmt::format("fno_blocks.convs.{}.weight.tensor", layers))) ++layers;
  const Tensor lifting = dict["lifting.fcs.0.weight"], projection = dict["projection.fcs.0.weight"];
  const bool network = dict.has("fno_blocks.channel_mlp.0.fcs.0.weight");
  const std::int64_t hidden = network ? dict["fno_blocks.channel_mlp.0.fcs.0.weight"].size(0) : 0;
  const std::int64_t inputs = lifting.size(1) - (model.grid_embedding ? axes : 0);
  if (inputs < 1)
    StateDict::refuse(fmt::format("a lifting of {} channels", lifting.size(1)),
                      fmt::format("{} for the position and some for the field", axes));

  Surrogate surrogate(
      fmt::format("name = \"fourier\"\nmodes = [{}]\nmode_count = \"total\"\nwidth = {}\nlayers = {}\n"
                  "lifting_hidden = {}\nprojection_hidden = {}\nchannel_mlp_hidden = {}\ncoordinates = {}\n"
                  "activate_twice = {}\n",
                  fmt::join(modes, ", "), spectral.size(0), layers, lifting.size(0), projection.size(0), hidden,
                  model.grid_embedding, !network),
      channels("input", inputs), channels("output", dict["projection.fcs.1.weight"].size(0)),
      RandomStream(0, "weights"), model.type);
  torch::NoGradGuard no_gradients;
  for (auto& item : surrogate.model().named_parameters()) {
    const Tensor theirs = their_weight(dict, item.key());
    if (theirs.numel() != item.value().numel())
      StateDict::refuse(fmt::format("shape {} for our {}", to_string(theirs.sizes()), item.key()),
                        to_string(item.value().sizes()));
    item.value().copy_(theirs.reshape(item.value().sizes()));
  }
  dict.refuse_unused();
  return surrogate;
}

}  // namespace locum::operators
