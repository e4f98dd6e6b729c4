#include <locum/operators/training/trainer.hpp>

#include <locum/core/error.hpp>
#include <locum/io/metrics.hpp>

#include <cmath>

#include "data.hpp"
#include "verbs.hpp"

namespace locum::cli {

using operators::Surrogate;
using operators::TrainingSet;

void try_model(const Case& c, const Sample& problem, const std::string& where)
{
  const auto channels = describe_channels(problem, c.data.inputs);
  try {
    Surrogate(c.section("model"), channels, channels, RandomStream(0, "trial")).solve(problem.members(0, 1));
  } catch (const ShapeError& error) {
    Report report = error.report();
    report.where = fmt::format("[model] on {}, {}", where, report.where);
    report.doing = "trying the model on the grid";
    throw ShapeError(report);
  }
}

void train(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  if (ranks.size() > 1)
    throw OptionError({.doing = "training",
                       .where = "mpiexec",
                       .found = fmt::format("{} ranks", ranks.size()),
                       .expected = "one: training uses threads",
                       .advice = "`locum train` without mpiexec; `locum generate` runs on any number"});
  std::vector<std::string> fields = c.data.inputs;
  fields.insert(fields.end(), c.data.outputs.begin(), c.data.outputs.end());
  const Sample data =
      read_samples(folder.train_data(c), "data.train", fields, c.data.samples, "reading training samples");
  try_model(c, data.members(0, 1), folder.train_data(c).string());

  const auto held_out = static_cast<std::int64_t>(std::llround(c.data.validation * static_cast<double>(data.batch())));
  if (held_out == data.batch())
    throw OptionError({.doing = "choosing the samples to validate with",
                       .where = "data.validation",
                       .found = fmt::format("{}, which holds out all {} samples", c.data.validation, data.batch()),
                       .expected = "some left to train on",
                       .advice = "validation = 0.1"});
  const auto set = [&](std::int64_t first, std::int64_t count) {
    const Sample part = data.members(first, count);
    return TrainingSet{.inputs = stack_channels(part, c.data.inputs), .outputs = stack_channels(part, c.data.outputs)};
  };
  const TrainingSet training = set(0, data.batch() - held_out), validation = set(data.batch() - held_out, held_out);

  const bool float64 = c.training.precision == operators::Precision::float64;
  Surrogate surrogate(c.section("model"), describe_channels(data, c.data.inputs),
                      describe_channels(data, c.data.outputs),
                      RandomStream(static_cast<std::uint64_t>(c.training.seed), "initial weights"),
                      float64 ? torch::kFloat64 : torch::kFloat32);
  folder.log->info("training {} parameters on {} samples {} from {}, {} held out", surrogate.parameters(),
                   training.inputs.size(0), to_string(training.inputs.sizes().slice(1)), folder.train_data(c).string(),
                   held_out);

  const auto result =
      operators::train(surrogate, training, validation, c.training, folder.path, c.training_settings(), folder.log);

  double seconds = 0;
  for (const auto& [epoch, metrics] : io::read_epochs(folder.metrics())) seconds += metrics.at("seconds");
  io::add_to_summary(folder.summary(), {{"seconds_training", seconds},
                                        {"seconds_per_epoch", seconds / static_cast<double>(result.epochs)},
                                        {"epochs", result.epochs},
                                        {"parameters", surrogate.parameters()},
                                        {"training_samples", training.inputs.size(0)},
                                        {"validation_relative_l2", result.best_validation}});
}

}  // namespace locum::cli
