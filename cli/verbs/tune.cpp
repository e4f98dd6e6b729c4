#include <locum/core/agree.hpp>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>
#include <locum/core/sobol.hpp>
#include <locum/io/atomic_file.hpp>
#include <locum/io/figures/figure.hpp>
#include <locum/operators/training/gradient_sum.hpp>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "../fit.hpp"
#include "../record.hpp"
#include "../stop_signals.hpp"
#include "../table.hpp"
#include "verbs.hpp"

namespace locum::cli {

namespace fs = std::filesystem;

namespace {

struct Trial {
  std::vector<double> place;        // in the unit cube
  std::vector<std::string> values;  // of the searched options, as --set takes them
  std::int64_t epochs = 0;          // trained
  double error = std::numeric_limits<double>::infinity();
};

std::string name_of(std::size_t trial) { return fmt::format("tune/{}", trial); }

std::vector<Trial> choose_trials(const Case& c)
{
  const auto dimensions = static_cast<std::int64_t>(c.searched.size());
  const auto seed = static_cast<std::uint64_t>(c.tune.seed);
  const Tensor points = c.tune.points == TrialPoints::sobol
                            ? sobol_points(c.tune.trials, dimensions, seed)
                            : RandomStream(seed, "trials").uniform({c.tune.trials, dimensions});
  std::vector<Trial> trials;
  for (std::int64_t i = 0; i < c.tune.trials; ++i) {
    Trial trial;
    for (std::int64_t d = 0; d < dimensions; ++d) {
      trial.place.push_back(points[i][d].item<double>());
      trial.values.push_back(c.searched[static_cast<std::size_t>(d)].at(trial.place.back()));
    }
    trials.push_back(std::move(trial));
  }
  return trials;
}

/// Epochs at the end of each rung.
std::vector<std::int64_t> choose_rungs(const Case& c)
{
  const std::int64_t all = c.training.epochs;
  std::vector<std::int64_t> rungs;
  for (std::int64_t epochs = c.tune.first_epochs > 0 ? c.tune.first_epochs : std::max<std::int64_t>(1, all / 9);
       epochs < all; epochs *= c.tune.keep)
    rungs.push_back(epochs);
  rungs.push_back(all);
  return rungs;
}

/// What a trial's training got to by the end of a rung; infinity where it diverged.
double error_of(const Case& c, const RunFolder& folder, std::size_t number, const Trial& trial, std::int64_t epochs)
{
  std::vector<std::string> settings;
  for (std::size_t i = 0; i < c.searched.size(); ++i)
    settings.push_back(fmt::format("{}={}", c.searched[i].key, trial.values[i]));
  const InnerRun run = open_inner_run(Communicator(), c, folder, name_of(number), std::move(settings));
  try {
    fit(Communicator(), run.c, run.folder, epochs);
  } catch (const SolverError& error) {
    run.folder.log->warn("{}", error.what());
    return std::numeric_limits<double>::infinity();
  }
  return record_of(run.folder.path, epochs).best_validation;
}

/// The best first: those that got further, then those with less error.
std::vector<std::size_t> ranking(const std::vector<Trial>& trials)
{
  std::vector<std::size_t> order(trials.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(-trials[a].epochs, trials[a].error) < std::pair(-trials[b].epochs, trials[b].error);
  });
  return order;
}

std::string table_of(const Case& c, const std::vector<Trial>& trials)
{
  std::vector<std::vector<std::string>> rows = {{"trial"}};
  for (const auto& option : c.searched) rows.front().push_back(option.key);
  rows.front().insert(rows.front().end(), {"epochs", "validation"});
  for (const std::size_t i : ranking(trials)) {
    const Trial& trial = trials[i];
    if (trial.epochs == 0) continue;
    rows.push_back({std::to_string(i)});
    rows.back().insert(rows.back().end(), trial.values.begin(), trial.values.end());
    rows.back().push_back(std::to_string(trial.epochs));
    rows.back().push_back(std::isfinite(trial.error) ? fmt::format("{:.4f}", trial.error) : "diverged");
  }
  return table(rows);
}

void write_json(const Case& c, const RunFolder& folder, const std::vector<Trial>& trials)
{
  auto json = nlohmann::ordered_json::object();
  json["best"] = (folder.path / name_of(ranking(trials).front())).string();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    auto& one = json["trials"].emplace_back();
    one["folder"] = (folder.path / name_of(i)).string();
    for (std::size_t d = 0; d < c.searched.size(); ++d) one["options"][c.searched[d].key] = trials[i].values[d];
    one["epochs"] = trials[i].epochs;
    one["validation_relative_l2"] = trials[i].error;  // null if it diverged
  }
  const std::string text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  io::write_atomically(folder.path / "tune.json", std::as_bytes(std::span(text)));
}

/// The error against one option, a colour a rung.
void draw(const Case& c, const RunFolder& folder, const std::vector<Trial>& trials,
          const std::vector<std::int64_t>& rungs, std::size_t option)
{
  using Scale = SearchedOption::Scale;
  const SearchedOption& searched = c.searched[option];
  std::vector<io::Curve> curves;
  for (const std::int64_t epochs : rungs) {
    std::vector<double> x, y;
    for (const Trial& trial : trials) {
      if (trial.epochs != epochs || !std::isfinite(trial.error)) continue;
      const auto& value = trial.values[option];
      const auto choice = std::find(searched.choices.begin(), searched.choices.end(), value);
      x.push_back(searched.scale == Scale::choices ? static_cast<double>(choice - searched.choices.begin())
                                                   : std::stod(value));
      y.push_back(trial.error);
    }
    if (!x.empty())
      curves.push_back({.name = fmt::format("to epoch {}", epochs),
                        .x = torch::tensor(x, torch::kFloat64),
                        .y = torch::tensor(y, torch::kFloat64),
                        .points = true});
  }
  std::string label = searched.key;
  for (std::size_t i = 0; i < searched.choices.size(); ++i)
    label += fmt::format("{} {}: {}", i ? "," : "", i, searched.choices[i]);
  std::string file = searched.key;
  std::replace(file.begin(), file.end(), '.', '_');
  io::draw_curves(
      folder.path / "figures" / fmt::format("tune_{}.png", file), curves,
      {.title = "", .x = label, .y = "validation error", .log_x = searched.scale == Scale::log, .log_y = true});
}

}  // namespace

void tune(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  if (c.searched.empty())
    throw OptionError({.doing = "searching options",
                       .where = "[tune.log], [tune.linear], [tune.integer], [tune.choices]",
                       .found = "no option to search",
                       .expected = "options and their ranges",
                       .advice = "--set tune.log.training.rate=\"[1e-4, 1e-2]\""});
  if (c.data.validation == 0)
    throw OptionError({.doing = "searching options",
                       .where = "data.validation",
                       .found = "0",
                       .expected = "samples that tell which trial is better",
                       .advice = "validation = 0.1"});
  if (c.data.train.empty()) generate(ranks, c, folder);

  const StopSignals signals(ranks.is_root() ? fmt::format("locum: told to stop; trials in {} go on with the same "
                                                          "command\n",
                                                          (folder.path / "tune").string())
                                            : "");
  auto trials = choose_trials(c);
  const auto rungs = choose_rungs(c);
  std::vector<std::size_t> alive(trials.size());
  for (std::size_t i = 0; i < alive.size(); ++i) alive[i] = i;
  for (const std::int64_t epochs : rungs) {
    folder.log->info("{} trials to epoch {} of {}", alive.size(), epochs, c.training.epochs);
    std::vector<double> errors(alive.size(), 0);
    bool stopped = false;
    agree(ranks, [&] {  // each rank on its own
      for (std::size_t i = static_cast<std::size_t>(ranks.rank()); i < alive.size() && !stopped;
           i += static_cast<std::size_t>(ranks.size()))
        try {
          errors[i] = error_of(c, folder, alive[i], trials[alive[i]], epochs);
        } catch (const Stopped&) {
          stopped = true;
        }
    });
    if (ranks.maximum(stopped ? 1 : 0) > 0) throw Stopped();
    operators::sum_over(ranks, errors);
    for (std::size_t i = 0; i < alive.size(); ++i) {
      trials[alive[i]].epochs = epochs;
      trials[alive[i]].error = errors[i];
    }
    agree(ranks, [&] {
      if (ranks.is_root()) write_json(c, folder, trials);
    });
    const std::size_t next =
        (alive.size() + static_cast<std::size_t>(c.tune.keep) - 1) / static_cast<std::size_t>(c.tune.keep);
    alive = ranking(trials);
    alive.resize(next);
  }
  agree(ranks, [&] {
    if (!ranks.is_root()) return;
    for (std::size_t i = 0; i < c.searched.size(); ++i) draw(c, folder, trials, rungs, i);
    const fs::path best = folder.path / name_of(ranking(trials).front());
    folder.log->info("{}\nthe best: `locum evaluate {} --output {}`", table_of(c, trials),
                     (best / "case.toml").string(), best.string());
  });
}

}  // namespace locum::cli
