#include "surrogate.hpp"

#include <locum/core/error.hpp>
#include <locum/io/batches/windows.hpp>
#include <locum/io/case_file.hpp>

#include <algorithm>

namespace locum::operators {

/// Builds the model that `options` describe, and completes them by the defaults.
static std::shared_ptr<Operator> build(std::string& options, std::size_t inputs, std::size_t outputs,
                                       RandomStream weights)
{
  OptionReader reader(io::parse_toml(options, "[model]"));
  const auto builder = configure_model(reader, "");
  reader.refuse_unknown();
  options = reader.to_toml("");
  return builder(static_cast<std::int64_t>(inputs), static_cast<std::int64_t>(outputs), std::move(weights));
}

Surrogate::Surrogate(std::string model, std::vector<Channel> inputs, std::vector<Channel> outputs, RandomStream weights,
                     torch::Dtype type)
    : options_(std::move(model)),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      type_(type),
      model_(build(options_, inputs_.size(), outputs_.size(), std::move(weights)))
{
  model_->to(type_);
}

static void save_channels(io::Checkpoint& checkpoint, const std::string& group, const std::vector<Channel>& channels)
{
  checkpoint.put(group + "/count", static_cast<std::int64_t>(channels.size()));
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const auto channel = fmt::format("{}/{}", group, i);
    checkpoint.put(channel + "/field", channels[i].field);
    checkpoint.put(channel + "/component", channels[i].component);
    checkpoint.put(channel + "/unit", channels[i].unit);
  }
}

static std::vector<Channel> load_channels(const io::Checkpoint& checkpoint, const std::string& group)
{
  std::vector<Channel> channels;
  for (std::int64_t i = 0; i < checkpoint.integer(group + "/count"); ++i) {
    const auto channel = fmt::format("{}/{}", group, i);
    channels.push_back({.field = checkpoint.text(channel + "/field"),
                        .component = checkpoint.integer(channel + "/component"),
                        .unit = checkpoint.text(channel + "/unit")});
  }
  return channels;
}

void Surrogate::save(io::Checkpoint& checkpoint) const
{
  checkpoint.put("model/options", options_);
  checkpoint.put("model/type", std::string(type_ == torch::kFloat64 ? "float64" : "float32"));
  if (missing) checkpoint.put("model/missing", std::int64_t{1});
  if (changes) checkpoint.put("model/changes", std::int64_t{1});
  if (interval > 0) checkpoint.put("model/interval", torch::tensor(interval, torch::kFloat64));
  save_channels(checkpoint, "model/inputs", inputs_);
  save_channels(checkpoint, "model/outputs", outputs_);
  for (const auto& item : model_->named_parameters()) checkpoint.put("model/weights/" + item.key(), item.value());
  for (const auto& [name, tensor] : input_normaliser.state()) checkpoint.put("model/input_normaliser/" + name, tensor);
  for (const auto& [name, tensor] : output_normaliser.state())
    checkpoint.put("model/output_normaliser/" + name, tensor);
}

static Normaliser load_normaliser(const io::Checkpoint& checkpoint, const std::string& group)
{
  std::map<std::string, Tensor> state;
  for (const std::string& name : checkpoint.names(group)) state[name] = checkpoint.tensor(group + "/" + name);
  return Normaliser::from_state(state);
}

Surrogate Surrogate::load(const std::filesystem::path& checkpoint)
{
  return load(io::Checkpoint::read(checkpoint), checkpoint.string());
}

Surrogate Surrogate::load(const io::Checkpoint& checkpoint, const std::string& where)
{
  Surrogate surrogate(checkpoint.text("model/options"), load_channels(checkpoint, "model/inputs"),
                      load_channels(checkpoint, "model/outputs"), RandomStream(0, "weights"),
                      checkpoint.text("model/type") == "float64" ? torch::kFloat64 : torch::kFloat32);
  surrogate.where_ = where;
  torch::NoGradGuard no_gradients;
  for (auto& item : surrogate.model_->named_parameters()) {
    const Tensor stored = checkpoint.tensor("model/weights/" + item.key());
    if (stored.sizes() != item.value().sizes())
      throw DataError({.doing = "loading the surrogate",
                       .where = fmt::format("{}:/model/weights/{}", where, item.key()),
                       .found = "shape " + to_string(stored.sizes()),
                       .expected = to_string(item.value().sizes()) + ", as the options beside it say",
                       .advice = "a checkpoint written by this version"});
    item.value().copy_(stored);
  }
  surrogate.input_normaliser = load_normaliser(checkpoint, "model/input_normaliser");
  surrogate.output_normaliser = load_normaliser(checkpoint, "model/output_normaliser");
  surrogate.missing = checkpoint.has("model/missing");
  surrogate.changes = checkpoint.has("model/changes");
  if (checkpoint.has("model/interval")) surrogate.interval = checkpoint.tensor("model/interval").item<double>();
  return surrogate;
}

std::string Surrogate::description() const { return "surrogate " + where_; }

std::int64_t Surrogate::parameters() const
{
  std::int64_t count = 0;
  for (const auto& parameter : model_->parameters()) count += parameter.numel();
  return count;
}

void Surrogate::to(torch::Device device)
{
  device_ = device;
  model_->to(device);
  input_normaliser.to(device);
  output_normaliser.to(device);
}

Tensor Surrogate::encode(const Tensor& values) const
{
  const Tensor encoded = input_normaliser.encode(values.to(device_, type_));
  return missing ? encoded.nan_to_num(0, 0, 0) : encoded;
}

/// Where among the inputs an output's field of now is, or their end.
static auto find_now(const std::vector<Channel>& inputs, const Channel& output)
{
  const auto field = io::field_and_step(output.field).first;
  return std::find_if(inputs.begin(), inputs.end(), [&](const Channel& input) {
    return input.field == field && input.component == output.component;
  });
}

bool Surrogate::knows_now() const
{
  return std::all_of(outputs_.begin(), outputs_.end(),
                     [&](const Channel& output) { return find_now(inputs_, output) != inputs_.end(); });
}

Tensor Surrogate::now(const Tensor& inputs) const
{
  std::vector<std::int64_t> channels;
  for (const Channel& output : outputs_) {
    const auto same = find_now(inputs_, output);
    if (same == inputs_.end())
      throw OptionError({.doing = "predicting changes",
                         .where = "training.predict",
                         .found = fmt::format("output {} without its field of now among the inputs", output.field),
                         .expected = "fields that are known now",
                         .advice = "predict = \"value\""});
    channels.push_back(same - inputs_.begin());
  }
  return inputs.index_select(1, torch::tensor(channels, torch::kInt64).to(inputs.device()));
}

Tensor Surrogate::decode(const Tensor& output, const Tensor& inputs) const
{
  const Tensor decoded = output_normaliser.decode(output);
  return changes ? decoded + now(inputs).to(decoded.options()) : decoded;
}

Sample Surrogate::solve(const Sample& problem)
{
  const auto fields = fields_of(inputs_);
  const auto given = describe_channels(problem, fields);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (i < given.size() && given[i] == inputs_[i]) continue;
    const auto text = [](const Channel& c) { return fmt::format("{}[{}] in {}", c.field, c.component, c.unit); };
    throw DataError({.doing = "predicting with " + description(),
                     .where = "",
                     .found = i < given.size() ? text(given[i]) : fmt::format("{} channels", given.size()),
                     .expected = text(inputs_[i]) + ", as it was trained",
                     .advice = "give the field in that unit"});
  }

  return {.domain = problem.domain,
          .fields = split_channels(predict(stack_channels(problem, fields)), outputs_),
          .scalars = {},
          .time = problem.time};
}

Tensor Surrogate::predict(const Tensor& inputs)
{
  torch::NoGradGuard no_gradients;
  std::vector<Tensor> predictions;
  constexpr std::int64_t at_once = 32;  // bounds the memory, and keeps the activations of a slice in cache
  for (const Tensor& some : inputs.split(at_once)) {
    Tensor prediction = decode(model_->forward(encode(some)), some);
    if (missing) {
      const Tensor nowhere = some.isfinite().all(1, /*keepdim=*/true).logical_not().to(device_);
      prediction = prediction.masked_fill(nowhere, std::numeric_limits<double>::quiet_NaN());
    }
    predictions.push_back(prediction.to(inputs.device()));
  }
  return torch::cat(predictions);
}

std::vector<std::string> fields_of(const std::vector<Channel>& channels)
{
  std::vector<std::string> names;
  for (const Channel& channel : channels)
    if (names.empty() || names.back() != channel.field) names.push_back(channel.field);
  return names;
}

}  // namespace locum::operators
