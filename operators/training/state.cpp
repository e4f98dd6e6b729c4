#include "state.hpp"

#include <fmt/format.h>
#include <locum/core/options.hpp>

#include "options.hpp"

namespace locum::operators {

void copy_weights(Operator& to, Operator& from)
{
  torch::NoGradGuard no_gradients;
  const auto source = from.named_parameters();
  for (auto& item : to.named_parameters()) item.value().copy_(source[item.key()]);
}

void TrainingState::save(const std::filesystem::path& file, const std::string& settings) const
{
  io::Checkpoint checkpoint;
  surrogate_.save(checkpoint);
  checkpoint.put("training/settings", settings);
  checkpoint.put("training/epoch", epoch);
  checkpoint.put("training/step", step);
  checkpoint.put("training/loss", loss);
  checkpoint.put("training/samples", samples);
  checkpoint.put("training/best_validation", best_validation);
  checkpoint.put("training/epochs_since_best", epochs_since_best);
  checkpoint.put("training/reductions", reductions);
  checkpoint.put("training/epochs_waited", epochs_waited);
  checkpoint.put("training/optimiser/steps", optimiser_.steps);
  const auto put = [&](const std::string& name, const Tensor& vector) {
    for (std::int64_t i = 0; i < parameters_.count(); ++i)
      checkpoint.put(fmt::format("training/{}/{}", name, i), parameters_.part(vector, i));
  };
  for (const auto& [name, vector] : optimiser_.state) put("optimiser/" + name, vector);
  if (average.defined()) put("average", average);
  checkpoint.write(file);
}

void TrainingState::save_surrogate(const std::filesystem::path& file, const std::string& settings) const
{
  io::Checkpoint checkpoint;
  surrogate_.save(checkpoint);
  if (average.defined())
    for (const auto& item : surrogate_.model().named_parameters())
      for (std::int64_t i = 0; i < parameters_.count(); ++i)
        if (parameters_.parameter(i).is_same(item.value()))
          checkpoint.put("model/weights/" + item.key(), parameters_.part(average, i));
  checkpoint.put("training/settings", settings);
  checkpoint.put("training/epoch", epoch);
  checkpoint.put("training/best_validation", best_validation);
  checkpoint.write(file);
}

void TrainingState::load(const std::filesystem::path& file)
{
  const auto checkpoint = io::Checkpoint::read(file);
  copy_weights(surrogate_.model(), Surrogate::load(checkpoint, file.string()).model());
  epoch = checkpoint.integer("training/epoch");
  best_validation = checkpoint.real("training/best_validation");
  if (checkpoint.has("training/step")) {  // files of version 1 know whole epochs only
    step = checkpoint.integer("training/step");
    loss = checkpoint.real("training/loss");
    samples = checkpoint.real("training/samples");
    epochs_since_best = checkpoint.integer("training/epochs_since_best");
    reductions = checkpoint.integer("training/reductions");
    epochs_waited = checkpoint.integer("training/epochs_waited");
  }
  optimiser_.steps = checkpoint.integer("training/optimiser/steps");
  const auto take = [&](const std::string& name, const Tensor& vector) {
    for (std::int64_t i = 0; i < parameters_.count(); ++i)
      parameters_.part(vector, i).copy_(checkpoint.tensor(fmt::format("training/{}/{}", name, i)));
  };
  for (const auto& [name, vector] : optimiser_.state) take("optimiser/" + name, vector);
  if (average.defined()) take("average", average);
}

void TrainingState::exchange_average()
{
  if (!average.defined()) return;
  const Tensor values = parameters_.values.clone();
  parameters_.values.copy_(average);
  average.copy_(values);
}

/// Lines "key = value" by key.
static std::map<std::string, std::string> lines_of(const std::string& settings)
{
  std::map<std::string, std::string> lines;
  for (std::size_t begin = 0; begin < settings.size();) {
    const auto end = std::min(settings.find('\n', begin), settings.size());
    const auto line = settings.substr(begin, end - begin);
    if (const auto equal = line.find(" = "); equal != std::string::npos) lines[line.substr(0, equal)] = line;
    begin = end + 1;
  }
  return lines;
}

std::string refuse_other_training(const std::filesystem::path& checkpoint, const std::string& then,
                                  const std::string& now)
{
  OptionReader defaults({});
  TrainingOptions untouched;
  defaults.read("training", untouched);
  const auto by_default = lines_of(defaults.to_toml("training"));
  const auto before = lines_of(then);
  const auto after = lines_of(now);

  // What may change, and options that are younger than the checkpoint, as long as nobody sets them.
  std::string comparable = now, differences;
  for (const auto& [key, line] : after) {
    const bool may_change = key == "epochs" || key == "patience" || key == "device" || key == "accumulate" ||
                            key == "checkpoint_steps" || key == "checkpoint_minutes";
    const auto old = before.find(key);
    if (old != before.end() && (old->second == line || !may_change)) continue;
    const auto usual = by_default.find(key);
    const bool young = old == before.end() && usual != by_default.end() && usual->second == line;
    if (!young && !may_change) continue;
    const auto place = comparable.find(line + "\n");
    if (place == std::string::npos) continue;
    comparable.replace(place, line.size() + 1, old == before.end() ? "" : old->second + "\n");
    if (!young)
      differences += fmt::format("{}`{}` instead of `{}`", differences.empty() ? "" : ", ", line,
                                 old == before.end() ? "nothing" : old->second);
  }
  refuse_other_options("resuming training", checkpoint.string(), then, comparable);
  return differences;
}

}  // namespace locum::operators
