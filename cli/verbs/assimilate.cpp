#include <fmt/format.h>
#include <locum/core/agree.hpp>
#include <locum/io/atomic_file.hpp>
#include <locum/io/datasets/dataset_writer.hpp>
#include <locum/io/figures/figure.hpp>
#include <locum/io/logs/metrics.hpp>
#include <locum/io/paraview/paraview.hpp>
#include <locum/operators/corrected_solver.hpp>

#include <chrono>
#include <cmath>

#include "../choose_solver.hpp"
#include "../stop_signals.hpp"
#include "verbs.hpp"

namespace locum::cli {

using namespace assimilation;
namespace fs = std::filesystem;

namespace {

double interval_of(const Case& c)
{
  return c.observations.interval > 0 ? c.observations.interval : c.trajectory.interval;
}

/// States of a long run each: random ones, advanced by generate.spin_up.
Sample climate_states(const Case& c, const physics::EvolvingEquation& equation, EvolvingSolver& solver,
                      std::uint64_t seed, std::int64_t first, std::int64_t count)
{
  torch::NoGradGuard no_gradients;
  Sample states = equation.draw(equation.grid(c.generate.cells), seed, first, count);
  if (c.trajectory.spin_up > 0) states = solver.advance(states, c.trajectory.spin_up);
  states.time = 0;
  return states;
}

std::shared_ptr<const Network> make_network(const Case& c, const StateLayout& layout)
{
  const ObservationOptions& o = c.observations;
  const auto places = o.points > 0 ? random_places(layout, o.fields, o.points, static_cast<std::uint64_t>(o.seed))
                                   : grid_places(layout, o.fields, o.every);
  const auto count = static_cast<Eigen::Index>(places.size());
  ObservationError error = o.correlation > 0 ? correlated_error(layout, places, o.deviation, o.correlation)
                                             : ObservationError(Vector(Vector::Constant(count, o.deviation)));
  return std::make_shared<const Network>(point_network(layout, places, std::move(error), o.seen));
}

// ── What came of it ──

void write_table(const fs::path& file, const CyclingResult& result)
{
  std::string text = "cycle";
  for (const char* name : Scores::names) text += fmt::format(",{}", name);
  for (std::size_t i = 0; i < result.scores.size(); ++i) {
    text += fmt::format("\n{}", i);
    for (const double value : result.scores[i].values())
      text += std::isfinite(value) ? fmt::format(",{:.9g}", value) : ",";
  }
  text += "\n";
  io::write_atomically(file, std::as_bytes(std::span(text)));
}

/// Fields of a stored cycle under names with what they are.
Sample shown(const StateLayout& layout, const StoredCycle& stored)
{
  Sample all;
  for (const auto& [what, row] : {std::pair{"truth", &stored.truth},
                                  {"forecast", &stored.forecast},
                                  {"analysis", &stored.analysis},
                                  {"spread", &stored.spread}}) {
    if (row->size() == 0) continue;
    const Sample state = layout.unpack(Matrix(*row), stored.time);
    all.domain = state.domain;
    for (const std::string& field : layout.fields()) all.fields[field + "_" + what] = state.field(field);
  }
  all.time = stored.time;
  return all;
}

/// One sample whose steps are the cycles kept, and one sample a cycle of increments: F where it began, F_forecast and
/// F_analysis where it ended, F_increment the difference of these.
void write_datasets(const fs::path& folder, const Case& c, const StateLayout& layout, const CyclingResult& result)
{
  const auto describe = [&](const Sample& sample, bool time_varying) {
    std::vector<io::FieldDescription> fields;
    for (const auto& [name, field] : sample.fields)
      fields.push_back(
          {.name = name, .unit = field.unit, .components = field.values.size(1), .time_varying = time_varying});
    return fields;
  };
  if (!result.stored.empty()) {
    std::vector<double> times;
    for (const StoredCycle& stored : result.stored) times.push_back(stored.time);
    io::DatasetWriter writer({}, folder / "analysis.h5",
                             {.name = c.name,
                              .samples = 1,
                              .grid = layout.grid(),
                              .times = times,
                              .fields = describe(shown(layout, result.stored.front()), true),
                              .scalars = {},
                              .provenance = {{"assimilation", c.assimilation_settings()}}});
    for (std::size_t i = 0; i < result.stored.size(); ++i)
      writer.write(0, shown(layout, result.stored[i]), static_cast<std::int64_t>(i));
    writer.close();
  }
  if (!result.increments.empty()) {
    const auto one = [&](const StoredIncrement& stored) {
      Sample sample = layout.unpack(Matrix(stored.state), 0);
      for (const auto& [what, row] : {std::pair<const char*, RowVector>{"_forecast", stored.forecast},
                                      {"_analysis", stored.analysis},
                                      {"_increment", stored.analysis - stored.forecast}}) {
        const Sample own = layout.unpack(Matrix(row), 0);
        for (const std::string& field : layout.fields()) sample.fields[field + what] = own.field(field);
      }
      sample.scalars = {{"interval", {.values = torch::full({1}, stored.interval, torch::kFloat64), .unit = "1"}}};
      return sample;
    };
    io::DatasetWriter writer({}, folder / "increments.h5",
                             {.name = c.name,
                              .samples = static_cast<std::int64_t>(result.increments.size()),
                              .grid = layout.grid(),
                              .fields = describe(one(result.increments.front()), false),
                              .scalars = {{"interval", "1"}},
                              .provenance = {{"assimilation", c.assimilation_settings()}}});
    for (std::size_t i = 0; i < result.increments.size(); ++i)
      writer.write(static_cast<std::int64_t>(i), one(result.increments[i]));
    writer.close();
  }
}

void draw_scores(const fs::path& figures, const CyclingResult& result)
{
  const auto count = static_cast<std::int64_t>(result.scores.size());
  const std::int64_t stride = std::max<std::int64_t>(1, count / 1000);
  const auto curve = [&](const std::string& name, double Scores::*quantity) {
    std::vector<double> x, y;
    for (std::int64_t i = 0; i < count; i += stride) {
      const Scores& scores = result.scores[static_cast<std::size_t>(i)];
      if (!std::isfinite(scores.*quantity)) continue;
      x.push_back(scores.time);
      y.push_back(scores.*quantity);
    }
    return io::Curve{name, torch::tensor(x, torch::kFloat64), torch::tensor(y, torch::kFloat64)};
  };
  std::vector<io::Curve> curves;
  for (const auto& [name, quantity] : {std::pair{"RMSE of the forecast", &Scores::rmse_forecast},
                                       {"RMSE of the analysis", &Scores::rmse_analysis},
                                       {"spread of the analysis", &Scores::spread_analysis},
                                       {"χ² of innovations", &Scores::chi_squared}}) {
    const bool needed = quantity != &Scores::chi_squared || !std::isfinite(result.scores.back().rmse_analysis);
    auto made = curve(name, quantity);
    if (needed && made.x.numel() > 1) curves.push_back(std::move(made));
  }
  if (!curves.empty())
    io::draw_curves(figures / "assimilation.png", curves, {.title = "", .x = "time", .y = "", .log_y = true});
  if (result.ranks.sum() > 0) {
    const Tensor rank = torch::arange(result.ranks.size(), torch::kFloat64);
    const Tensor frequency =
        torch::from_blob(const_cast<double*>(result.ranks.data()), {result.ranks.size()}, torch::kFloat64) *
        (static_cast<double>(result.ranks.size()) / result.ranks.sum());
    io::draw_curves(figures / "ranks.png", {{"frequency", rank, frequency}, {"ideal", rank, torch::ones_like(rank)}},
                    {.title = "", .x = "members below the truth", .y = "frequency over that of chance"});
  }
}

void draw_states(const fs::path& figures, const StateLayout& layout, const CyclingResult& result)
{
  if (result.stored.size() < 2 || layout.grid().axes.size() > 2) return;
  const bool line = layout.grid().axes.size() == 1;
  const std::string field = layout.fields().front();
  const auto picture = [&](const std::string& what) -> Tensor {
    std::vector<Tensor> rows;
    for (const StoredCycle& stored : result.stored) {
      const Sample all = shown(layout, stored);
      const auto found = all.fields.find(field + "_" + what);
      if (found == all.fields.end()) return {};
      rows.push_back(found->second.values[0][0]);
    }
    return line ? torch::stack(rows) : rows.back();
  };
  const Tensor truth = picture("truth"), analysis = picture("analysis"), spread = picture("spread");
  const std::optional<double> aspect = line ? std::optional(1.0) : std::nullopt;
  std::vector<io::Panel> panels;
  if (truth.defined()) {
    const io::Range range = io::common_range({truth, analysis});
    panels = {{.title = field + ", truth", .values = truth, .range = range, .aspect = aspect},
              {.title = "analysis", .values = analysis, .range = range, .aspect = aspect},
              {.title = "error", .values = analysis - truth, .colours = io::ColourMap::diverging, .aspect = aspect}};
  } else {
    panels = {{.title = field + ", analysis", .values = analysis, .aspect = aspect},
              {.title = "spread", .values = spread, .aspect = aspect}};
  }
  io::draw_fields(figures / "states.png", panels,
                  line ? fmt::format("the last {} cycles, upwards", result.stored.size())
                       : fmt::format("at time {:.4g}", result.stored.back().time));
}

void write_series(const fs::path& paraview, const StateLayout& layout, const CyclingResult& result)
{
  if (!io::paraview_available()) return;
  io::ParaviewSeries series(paraview / "assimilation.pvd");
  for (const StoredCycle& stored : result.stored) series.add(stored.time, shown(layout, stored));
  io::ParaviewSeries members(paraview / "members.pvd");  // "time" is the member's number
  const Sample last = layout.unpack(result.members, result.time);
  for (std::int64_t i = 0; i < last.batch(); ++i) members.add(static_cast<double>(i), last, i);
}

}  // namespace

void assimilate(const Communicator& ranks, const Case& c, const RunFolder& folder, const std::string& with,
                const std::string& correct)
{
  const AssimilationOptions& options = c.assimilation;
  const auto seed = static_cast<std::uint64_t>(options.seed);
  std::unique_ptr<EvolvingSolver> model, reference, truth;
  std::optional<StateLayout> layout;
  std::unique_ptr<Method> method;
  std::unique_ptr<ObservationSource> source;
  Matrix members;
  agree(ranks, [&] {
    if (!c.evolving())
      throw OptionError({.doing = "assimilating",
                         .where = "[equation]",
                         .found = c.equation ? c.equation->name() : "no equation",
                         .expected = "an equation that evolves",
                         .advice = "`locum list`"});
    // Members are shared by the ranks, so every rank has solvers of its own.
    const Communicator alone;
    model = choose_evolving(alone, c, with);
    if (!correct.empty())
      model = std::make_unique<operators::CorrectedSolver>(
          std::move(model), operators::Surrogate::load(surrogate_file(correct)), interval_of(c));
    reference = choose_evolving(alone, c, "reference");
    const physics::EvolvingEquation& true_equation = c.truth ? *c.truth : *c.evolving();
    truth = solvers::make_reference_solver(true_equation, c.truth ? c.truth_stepping : c.stepping);

    const Sample start = climate_states(c, true_equation, *truth, seed, /*first=*/0, /*count=*/1);
    const auto fields = c.evolving()->state();
    layout.emplace(c.evolving()->draw(c.evolving()->grid(c.generate.cells), seed, 0, 1), fields);
    const auto climate = [&](std::int64_t count) -> Matrix {
      return layout->pack(climate_states(c, *c.evolving(), *reference, seed + 1, /*first=*/0, count));
    };
    method = make_method(options.method, layout->grid(), climate);
    if (!c.observations.file.empty()) {
      auto recorded = std::make_unique<RecordedObservations>(c.observations.file, *layout, c.observations.deviation,
                                                             /*start=*/0, c.observations.seen);
      const auto used = options.cycling.cycles * method->window();
      if (recorded->times() > used && ranks.is_root())
        folder.log->warn("{} observation times of {} are later than the run; assimilation.cycles = {} reaches all",
                         recorded->times() - used, c.observations.file, recorded->times() / method->window());
      source = std::move(recorded);
    } else
      source = std::make_unique<TwinObservations>(*truth, start, *layout, make_network(c, StateLayout(start, fields)),
                                                  make_network(c, *layout), interval_of(c),
                                                  options.cycling.cycles * method->window(), seed);
    if (options.initial_deviation > 0 && c.observations.file.empty()) {
      const Matrix around = layout->pack(start) + options.initial_deviation * normal(seed, "error of the first mean", 0,
                                                                                     1, layout->variables());
      members = (options.initial_deviation * normal(seed, "first members", 0, method->members(), layout->variables()))
                    .rowwise() +
                around.row(0);
    } else {
      members = layout->pack(climate_states(c, *c.evolving(), *reference, seed, /*first=*/1, method->members()));
    }
  });
  folder.log->info("{}; model: {}; {}", method->description(), model->description(), source->description());

  const Forecast forecast(*model, *layout, options.forecast, seed, ranks, folder.log);
  const StopSignals signals(ranks.is_root() ? fmt::format("locum: told to stop; assimilation.h5 in {} goes on with the "
                                                          "same command\n",
                                                          folder.path.string())
                                            : "");
  const auto begin = std::chrono::steady_clock::now();
  const CyclingResult result = assimilation::assimilate(
      *method, *source, forecast, std::move(members), /*time=*/0, options.cycling,
      {.folder = folder.path,
       .settings = c.assimilation_settings() + fmt::format("with = {}\ncorrect = {}\n", with, correct),
       .stop = StopSignals::requested});
  if (!result.complete) throw Stopped();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  agree(ranks, [&] {
    if (!ranks.is_root()) return;
    const auto cycles = static_cast<std::int64_t>(result.scores.size());
    std::map<std::string, io::Metric> metrics = {{"assimilation_cycles", cycles}};
    for (const auto& [name, value] : result.means) metrics["assimilation_" + name] = value;
    if (result.collapsed >= 0) metrics["assimilation_collapsed_at"] = result.collapsed;
    io::add_to_summary(folder.summary(), metrics);
    write_table(folder.path / "cycles.csv", result);
    write_datasets(folder.path, c, *layout, result);
    const auto mean = [&](const char* name) {
      const auto found = result.means.find(name);
      return found == result.means.end() ? std::string("unknown") : fmt::format("{:.4g}", found->second);
    };
    folder.log->info(
        "{} cycles in {:.3g} s ({:.0f} a second); means over cycles from {} on: RMSE of forecast {}, of "
        "analysis {}, spread {}, CRPS {}, χ² {}",
        cycles, seconds, static_cast<double>(cycles) / seconds, c.assimilation.cycling.burn_in, mean("rmse_forecast"),
        mean("rmse_analysis"), mean("spread_analysis"), mean("crps"), mean("chi_squared"));
    if (result.means.contains("rmse_smoothed"))
      folder.log->info("RMSE of the smoothed states: {}", mean("rmse_smoothed"));
    if (!result.scores.empty()) {
      draw_scores(folder.path / "figures", result);
      draw_states(folder.path / "figures", *layout, result);
    }
    write_series(folder.path / "paraview", *layout, result);
  });
}

}  // namespace locum::cli
