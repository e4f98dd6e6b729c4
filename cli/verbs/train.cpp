#include <locum/operators/training/trainer.hpp>

#include <locum/core/agree.hpp>
#include <locum/core/error.hpp>
#include <locum/core/rank_group.hpp>
#include <locum/io/logs/metrics.hpp>
#include <locum/operators/training/transfer.hpp>
#include <locum/physics/step_residual.hpp>

#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <numbers>

#include "../choose_solver.hpp"
#include "../data.hpp"
#include "../fit.hpp"
#include "../record.hpp"
#include "../stop_signals.hpp"
#include "../table.hpp"
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

/// Weights of the points of a grid, the cosine of the latitude, of mean 1; [latitude, 1…] or what spreads over the
/// grid.
static Tensor latitude_weights(const Grid& grid, const std::string& where)
{
  constexpr std::array units = {"degrees_north", "degree_north", "degrees_N", "degree_N", "degreesN", "degreeN"};  // CF
  for (std::size_t i = 0; i < grid.axes.size(); ++i) {
    if (std::find(units.begin(), units.end(), grid.axes[i].unit) == units.end()) continue;
    const Tensor cosine = (grid.coordinates(i) * (std::numbers::pi / 180)).cos().clamp_min(0);
    std::vector<std::int64_t> shape(grid.axes.size(), 1);
    shape[i] = cosine.numel();
    return (cosine / cosine.mean()).view(shape);
  }
  std::string found;
  for (const Axis& axis : grid.axes)
    found += fmt::format("{}{} in {}", found.empty() ? "" : ", ", axis.name, axis.unit);
  throw OptionError({.doing = "weighing points with their latitude",
                     .where = where,
                     .found = "axes " + found,
                     .expected = "one in degrees_north",
                     .advice = "[data.axes.y] unit = \"degrees_north\", or loss_latitude = false"});
}

/// The equation's residual of a prediction relative to its forcing, sample by sample.
static Tensor relative_residual(const Case& c, const TrainingData& data, const Tensor& inputs, const Tensor& prediction)
{
  const auto sample = [&](const Tensor& values, const std::vector<Channel>& channels) {
    return Sample{.domain = data.domain, .fields = split_channels(values, channels), .scalars = {}, .time = 0};
  };
  const Sample problem = sample(inputs, data.inputs);
  const Tensor residual = c.steady()->residual(problem, sample(prediction, data.outputs));
  return residual.flatten(1).norm(2, 1) / c.steady()->forcing(problem).flatten(1).norm(2, 1);
}

/// How far a predicted step is from the trapezoidal rule, relative to how far no step is.
static Tensor relative_step_residual(const Case& c, const TrainingData& data, const Surrogate& surrogate,
                                     const Tensor& inputs, const Tensor& prediction)
{
  const Grid& grid = std::get<Grid>(data.domain);
  const Tensor before = surrogate.now(inputs).to(torch::kFloat64);
  const auto size = [&](const Tensor& after) {
    return physics::step_residual(*c.evolving(), before, after, grid, surrogate.interval).flatten(1).norm(2, 1);
  };
  return size(prediction.to(torch::kFloat64)) / size(before);
}

/// @throws OptionError  if what the surrogate predicts is not the equation's state a step later
static void require_whole_step(const Case& c, const Surrogate& surrogate)
{
  std::vector<std::string> expected, found = operators::fields_of(surrogate.outputs());
  for (const std::string& field : c.evolving()->state()) expected.push_back(io::name_at(field, 1));
  if (found == expected && surrogate.knows_now() && surrogate.interval > 0) return;
  throw OptionError({.doing = "setting up the loss",
                     .where = "training.residual",
                     .found = fmt::format("outputs {}", fmt::join(found, ", ")),
                     .expected = fmt::format("{}, and the same of now among the inputs", fmt::join(expected, ", ")),
                     .advice = "data.horizon = 1 and the equation's fields, or residual = 0.0"});
}

void fit(const Communicator& ranks, const Case& c, const RunFolder& folder, std::int64_t pause_after)
{
  TrainingData data;
  std::optional<Surrogate> surrogate;
  operators::TrainingRun run{
      .folder = folder.path, .settings = c.training_settings(), .log = folder.log, .ranks = ranks};
  agree(ranks, [&] {
    data = open_training_data(ranks, c, folder);
    const bool float64 = c.training.precision == operators::Precision::float64;
    surrogate.emplace(c.section("model"), data.inputs, data.outputs,
                      RandomStream(static_cast<std::uint64_t>(c.training.seed), "initial weights"),
                      float64 ? torch::kFloat64 : torch::kFloat32);
    surrogate->missing = c.data.mask == NotFinite::missing;
    if (data.dataset->steps() > c.data.stride)
      surrogate->interval = data.dataset->time(0, c.data.stride) - data.dataset->time(0, 0);
    if (!c.training.start_from.empty()) {
      auto other = Surrogate::load(surrogate_file(c.training.start_from));
      operators::begin_with(*surrogate, other);
    }
    if (c.training.loss.residual > 0 && c.evolving()) require_whole_step(c, *surrogate);
    if (c.training.loss.latitude) {
      const auto* grid = std::get_if<Grid>(&data.domain);
      run.weights = latitude_weights(grid ? *grid : Grid{}, folder.train_data(c).string());
    }
  });
  run.targets = data.targets;
  if (c.training.loss.residual > 0)
    run.residual = [&](const Tensor& inputs, const Tensor& prediction) {
      return c.steady() ? relative_residual(c, data, inputs, prediction)
                        : relative_step_residual(c, data, *surrogate, inputs, prediction);
    };
  folder.log->info("training {} parameters on {} samples of {} channels on {} from {}{}, {} held out{}",
                   surrogate->parameters(), data.training->size(), data.inputs.size(), to_string(data.points),
                   folder.train_data(c).string(), data.streamed ? ", streamed" : "", data.validation->size(),
                   ranks.size() > 1 ? fmt::format(", on {} ranks", ranks.size()) : "");

  run.stop = StopSignals::requested;
  run.pause_after = pause_after;
  const auto samples = data.training->size();
  const auto result = operators::train(*surrogate, *data.training, *data.validation, c.training, run);
  if (!result.complete) throw Stopped();

  agree(ranks, [&] {
    if (!ranks.is_root()) return;
    double seconds = 0;
    for (const auto& [epoch, metrics] : io::read_epochs(folder.metrics())) seconds += metrics.at("seconds");
    io::add_to_summary(folder.summary(), {{"seconds_training", seconds},
                                          {"seconds_per_epoch", seconds / static_cast<double>(result.epochs)},
                                          {"epochs", result.epochs},
                                          {"parameters", surrogate->parameters()},
                                          {"training_samples", samples},
                                          {"validation_relative_l2", result.best_validation}});
  });
}

/// The members of an ensemble: each as a run of its own, by one rank, or by several where there are more ranks.
static void train_members(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  const std::int64_t members = c.members(), groups = std::min<std::int64_t>(members, ranks.size());
  const RankGroup group(ranks, static_cast<int>(ranks.rank() * groups / ranks.size()));
  folder.log->info("training {} members{}", members,
                   ranks.size() > 1 ? fmt::format(", {} at a time on {} ranks", groups, ranks.size()) : "");
  std::vector<InnerRun> runs;
  for (std::int64_t i = 0; i < members; ++i) {
    std::vector<std::string> settings = {"training.members=1"};
    if (c.members() == c.data.folds && c.data.fold < 0) settings.push_back(fmt::format("data.fold={}", i));
    else settings.push_back(fmt::format("training.seed={}", c.training.seed + i));
    runs.push_back(open_inner_run(ranks, c, folder, fmt::format("members/{}", i), std::move(settings)));
  }
  bool stopped = false;
  agree(ranks, [&] {  // ranks of a group throw together, so that all meet here again
    for (std::int64_t i = group.number; i < members && !stopped; i += groups) try {
        InnerRun& run = runs[static_cast<std::size_t>(i)];
        if (group.ranks.is_root() && !ranks.is_root()) run.folder.log = open_quiet_log(run.folder.path / "log.txt");
        fit(group.ranks, run.c, run.folder);
        folder.log->info("member {} is trained: {}", i, run.folder.path.string());
      } catch (const Stopped&) {
        stopped = true;
      }
  });
  if (ranks.maximum(stopped ? 1 : 0) > 0) throw Stopped();

  agree(ranks, [&] {
    if (!ranks.is_root()) return;
    std::vector<std::vector<std::string>> rows = {{"member", "epochs", "seconds", "validation"}};
    std::vector<double> errors;
    double all_seconds = 0;
    for (std::int64_t i = 0; i < members; ++i) {
      const RunRecord record = record_of(runs[static_cast<std::size_t>(i)].folder.path);
      rows.push_back({std::to_string(i), std::to_string(record.epochs), fmt::format("{:.1f}", record.seconds),
                      fmt::format("{:.4f}", record.best_validation)});
      errors.push_back(record.best_validation);
      all_seconds += record.seconds;
    }
    const Tensor all = torch::tensor(errors, torch::kFloat64);
    const double mean = all.mean().item<double>(), deviation = all.std().item<double>();
    folder.log->info("{}\nvalidation error {:.4f} ± {:.4f}, mean and deviation of the members", table(rows), mean,
                     deviation);
    io::add_to_summary(folder.summary(), {{"members", members},
                                          {"seconds_training", all_seconds},
                                          {"validation_relative_l2", mean},
                                          {"validation_relative_l2_deviation", deviation}});
  });
}

void train(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  const StopSignals signals(ranks.is_root() ? fmt::format("locum: told to stop; checkpoints in {} go on with the same "
                                                          "command\n",
                                                          folder.path.string())
                                            : "");
  if (c.members() > 1) train_members(ranks, c, folder);
  else fit(ranks, c, folder);
}

}  // namespace locum::cli
