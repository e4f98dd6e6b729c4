#include <locum/core/error.hpp>
#include <locum/io/checkpoint.hpp>
#include <locum/io/dataset.hpp>
#include <locum/io/quarantine.hpp>
#include <locum/operators/surrogate.hpp>

#include "verbs.hpp"

namespace locum::cli {

static std::string indented(std::string text)
{
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 5) text.replace(at, 1, "\n    ");
  return "    " + text;
}

static void print_channels(const char* name, const std::vector<Channel>& channels)
{
  fmt::print("  {}\n", name);
  for (const Channel& channel : channels)
    fmt::print("    {}[{}] in {}\n", channel.field, channel.component, channel.unit);
}

static void print_checkpoint(const std::filesystem::path& file)
{
  const auto checkpoint = io::Checkpoint::read(file);
  const auto surrogate = operators::Surrogate::load(checkpoint, file.string());
  fmt::print("{}: checkpoint of a surrogate, {} parameters\n", file.string(), surrogate.parameters());
  print_channels("inputs", surrogate.inputs());
  print_channels("outputs", surrogate.outputs());
  fmt::print("  model\n{}\n", indented(checkpoint.text("model/options")));
  if (checkpoint.has("training/epoch"))
    fmt::print("  after epoch {}, best validation error {:.4f}\n", checkpoint.integer("training/epoch"),
               checkpoint.real("training/best_validation"));
}

static void print_dataset(const std::filesystem::path& file)
{
  io::in_quarantine(file, [&] {  // people look first at what they do not know
    const auto dataset = io::open_dataset(file);
    for (const auto& field : dataset->fields())
      dataset->read({field.name}, 0, std::min<std::int64_t>(1, dataset->size()));
  });
  const auto dataset = io::open_dataset(file);
  fmt::print("{}: {}, {} samples, {} steps\n", file.string(), dataset->layout(), dataset->size(), dataset->steps());
  for (const auto& field : dataset->fields()) {
    std::string shape = "empty", range;
    if (dataset->size() > 0) {
      const auto values = dataset->read({field.name}, 0, 1).field(field.name).values;
      shape = to_string(values.sizes().slice(1));
      range = fmt::format(", sample 0 from {:.4g} to {:.4g}", values.min().item<double>(), values.max().item<double>());
    }
    fmt::print("  {:<24} {} in {}{}{}\n", field.name, shape, field.unit, field.time_varying ? ", varying in time" : "",
               range);
  }
  for (const auto& [name, text] : dataset->provenance())
    if (!text.empty()) fmt::print("  {}\n{}\n", name, indented(text));
}

void info(const std::filesystem::path& file)
{
  if (io::Checkpoint::recognises(file)) print_checkpoint(file);
  else print_dataset(file);
}

}  // namespace locum::cli
