#include <locum/operators/training/trainer.hpp>

#include <locum/core/error.hpp>
#include <locum/io/metrics.hpp>

#include "data.hpp"
#include "verbs.hpp"

namespace locum::cli {

using operators::Surrogate;

void try_model(const Case& c, const Sample& problem, const std::vector<std::string>& inputs, const std::string& where)
{
  const auto channels = describe_channels(problem, inputs);
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
  const TrainingData data = open_training_data(c, folder);
  const bool float64 = c.training.precision == operators::Precision::float64;
  Surrogate surrogate(c.section("model"), data.inputs, data.outputs,
                      RandomStream(static_cast<std::uint64_t>(c.training.seed), "initial weights"),
                      float64 ? torch::kFloat64 : torch::kFloat32);
  surrogate.missing = c.data.mask == NotFinite::missing;
  folder.log->info("training {} parameters on {} samples of {} channels on {} from {}{}, {} held out",
                   surrogate.parameters(), data.training->size(), data.inputs.size(), to_string(data.points),
                   folder.train_data(c).string(), data.streamed ? ", streamed" : "", data.validation->size());

  const auto samples = data.training->size();
  const auto result = operators::train(surrogate, *data.training, *data.validation, c.training, folder.path,
                                       c.training_settings(), folder.log);

  double seconds = 0;
  for (const auto& [epoch, metrics] : io::read_epochs(folder.metrics())) seconds += metrics.at("seconds");
  io::add_to_summary(folder.summary(), {{"seconds_training", seconds},
                                        {"seconds_per_epoch", seconds / static_cast<double>(result.epochs)},
                                        {"epochs", result.epochs},
                                        {"parameters", surrogate.parameters()},
                                        {"training_samples", samples},
                                        {"validation_relative_l2", result.best_validation}});
}

}  // namespace locum::cli
