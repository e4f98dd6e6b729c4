#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/progress.hpp>
#include <locum/io/atomic_file.hpp>
#include <locum/io/datasets/dataset_writer.hpp>
#include <locum/io/figures/figure.hpp>
#include <locum/io/logs/metrics.hpp>
#include <locum/physics/periodic/corrected_equation.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "../target.hpp"
#include "verbs.hpp"

namespace locum::cli {

using assimilation::Discovered;
using assimilation::Library;
namespace fs = std::filesystem;

namespace {

const char* const doing = "discovering what a model lacks";

// ---- Increments

/// Fields F of a file with fields F and F_increment.
std::vector<std::string> fields_with_increments(const io::Dataset& dataset)
{
  std::vector<std::string> names, found;
  for (const auto& field : dataset.fields()) names.push_back(field.name);
  for (const std::string& name : names)
    if (std::find(names.begin(), names.end(), name + "_increment") != names.end()) found.push_back(name);
  if (found.empty())
    throw DataError({.doing = doing,
                     .where = dataset.file().string(),
                     .found = fmt::format("fields {}", fmt::join(names, ", ")),
                     .expected = "fields F and F_increment",
                     .advice = "`locum assimilate` writes such files"});
  return found;
}

/// The named fields of all samples and steps of a file as members.
Sample read_all(const io::Dataset& dataset, const std::vector<std::string>& names)
{
  std::optional<Sample> all;
  for (std::int64_t step = 0; step < dataset.steps(); ++step) {
    Sample read = dataset.read(names, 0, dataset.size(), step).to(torch::kFloat64);
    if (all) all->append(read);
    else all = std::move(read);
  }
  return *all;
}

/// Analyses of a filter as pairs: every `window` cycles the state that these began with, and that which they ended
/// with.
/// @param cycles  with fields F and F_analysis
Sample pairs_of_analyses(const Sample& cycles, const std::vector<std::string>& fields, std::int64_t window)
{
  const std::int64_t count = window > 0 ? cycles.batch() / window : 0;
  if (count < 1)
    throw OptionError({.doing = doing,
                       .where = "discovery.window",
                       .found = fmt::format("{}", window),
                       .expected = fmt::format("from 1 to {}, the cycles in discovery.increments", cycles.batch()),
                       .advice = "window = 1"});
  Sample pairs{.domain = cycles.domain, .fields = {}, .scalars = {}, .time = cycles.time};
  for (const std::string& name : fields) {
    const auto every = [&](const std::string& of, std::int64_t first) {
      const Field& field = cycles.field(of);
      return Field{.values = field.values.slice(0, first, first + (count - 1) * window + 1, window),
                   .unit = field.unit};
    };
    pairs.fields[name + "_start"] = every(name, 0);
    pairs.fields[name + "_end"] = every(name + "_analysis", window - 1);
  }
  pairs.scalars["interval"] = {
      .values = cycles.scalars.at("interval").values.narrow(0, 0, count) * static_cast<double>(window), .unit = "1"};
  return pairs;
}

std::vector<std::string> with_endings(const std::vector<std::string>& fields,
                                      std::initializer_list<const char*> endings)
{
  std::vector<std::string> names;
  for (const std::string& field : fields)
    for (const char* ending : endings) names.push_back(field + ending);
  return names;
}

/// What the true pairs depend on; not on the model.
std::string truth_options(const Case& c)
{
  return fmt::format("{}cells = [{}]\nspin_up = {}\nseed = {}\nsamples = {}\nspacing = {}\ninterval = {}\n",
                     c.section("truth") + c.section("truth.solver"), fmt::join(c.generate.cells, ", "),
                     c.trajectory.spin_up, c.generate.seed, c.twin.samples, c.twin.spacing, c.twin.interval);
}

/// What observations of them depend on beside.
std::string observation_options(const Case& c)
{
  std::string text = truth_options(c) + fmt::format("noise = {}\nobserved = [{}]\nsensors = {}\n", c.twin.noise,
                                                    fmt::join(c.twin.observed, ", "), c.twin.sensors);
  if (c.twin.sensors < 1) text += c.section("discovery.interpolation");
  return text;
}

/// Pairs of an earlier run, or made now and kept in `file`.
/// @param options  what they depend on: stored, and compared
Sample kept_pairs(const Case& c, const fs::path& file, const std::vector<std::string>& fields,
                  const std::string& options, const std::function<Sample()>& make)
{
  if (fs::exists(file)) {
    const auto dataset = io::open_dataset(file);
    const auto provenance = dataset->provenance();
    const auto made = provenance.find("observations");
    refuse_other_options("reading observations of the truth", file.string(),
                         made == provenance.end() ? "" : made->second, options);
    return read_all(*dataset, with_endings(fields, {"_start", "_end"}));
  }
  const Sample pairs = make();
  io::DatasetHeader header{.name = c.truth->name(),
                           .samples = pairs.batch(),
                           .grid = pairs.grid(),
                           .times = {pairs.time},
                           .fields = {},
                           .scalars = {{"interval", "1"}},
                           .provenance = {{"observations", options}, {"version", LOCUM_VERSION}},
                           .type = torch::kFloat64};
  for (const auto& [name, field] : pairs.fields)
    header.fields.push_back({.name = name, .unit = field.unit, .components = 1, .time_varying = false});
  io::DatasetWriter writer(Communicator(), file, header);
  writer.write(0, pairs);
  writer.close();
  return pairs;
}

/// Pairs of states of the truth.
Sample true_pairs(const Case& c, const RunFolder& folder, const std::vector<std::string>& fields)
{
  return kept_pairs(c, folder.path / "data" / "truth.h5", fields, truth_options(c), [&] {
    const auto truth = solvers::make_reference_solver(*c.truth, c.truth_stepping);
    Sample state = c.truth->draw(c.truth->grid(c.generate.cells), static_cast<std::uint64_t>(c.generate.seed), 0, 1);
    if (c.trajectory.spin_up > 0) state = truth->advance(state, c.trajectory.spin_up);
    Progress progress(folder.log, "observing the truth", c.twin.samples, "pairs");
    return assimilation::make_pairs(*truth, state, fields, c.twin, [&](std::int64_t done) { progress.update(done); });
  });
}

/// How far the states that observations say are from the true ones, and the changes over the interval: relative L2.
void measure_observations(const Case& c, const RunFolder& folder, const Sample& seen, const Sample& truth,
                          const std::vector<std::string>& fields, std::map<std::string, io::Metric>& summary)
{
  const auto* periodic = dynamic_cast<const physics::PeriodicEquation*>(c.truth.get());
  const auto both_ends = [&](const Sample& pairs) {
    std::array<Sample, 2> states;
    for (std::size_t end = 0; end < states.size(); ++end) {
      states[end].domain = pairs.domain;
      for (const std::string& name : fields)
        states[end].fields[name] = pairs.field(name + (end == 0 ? "_start" : "_end"));
      if (periodic) states[end] = physics::with_diagnostics(*periodic, states[end]);
    }
    return states;
  };
  const auto found = both_ends(seen), exact = both_ends(truth);
  auto names = fields;
  for (const std::string& name : c.twin.observed)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  const bool pairs_are_planes = seen.grid().axes.size() == 2;
  for (const std::string& name : names) {
    const auto of = [&](const Sample& state) { return state.field(name).values; };
    const Tensor true_change = of(exact[1]) - of(exact[0]), change = of(found[1]) - of(found[0]);
    const double error = ((of(found[0]) - of(exact[0])).norm() / of(exact[0]).norm()).item<double>();
    const double of_change = ((change - true_change).norm() / true_change.norm()).item<double>();
    summary["state_error_" + name] = error;
    summary["change_error_" + name] = of_change;
    folder.log->info("{} as observed is wrong by {:.3g} %, its change over the interval by {:.3g} %", name, 100 * error,
                     100 * of_change);
    if (pairs_are_planes && &name == &names.front()) {
      const Tensor true_one = of(exact[0])[0][0], one = of(found[0])[0][0];
      const io::Range range = io::common_range({true_one});
      io::draw_fields(folder.path / "figures" / "observed.png",
                      {{.title = name + ", truth", .values = true_one, .range = range},
                       {.title = "as observed", .values = one, .range = range},
                       {.title = "error", .values = one - true_one, .colours = io::ColourMap::diverging}},
                      "the first pair's start");
    }
  }
}

/// What is known of pairs of states of the truth: these themselves, or what observations make of them.
Sample observed_pairs(const Case& c, const RunFolder& folder, const std::vector<std::string>& fields,
                      std::map<std::string, io::Metric>& summary)
{
  const Sample truth = true_pairs(c, folder, fields);
  if (c.twin.noise == 0 && c.twin.observed.empty() && c.twin.sensors == 1) return truth;
  const Sample seen = kept_pairs(c, folder.path / "data" / "observations.h5", fields, observation_options(c), [&] {
    if (c.twin.sensors < 1) folder.log->info("filling in between sensors");
    return assimilation::observe_pairs(truth, *c.truth, c.twin, c.interpolation,
                                       static_cast<std::uint64_t>(c.generate.seed));
  });
  measure_observations(c, folder, seen, truth, fields, summary);
  return seen;
}

/// Of the increments: the file's, or the case's.
double interval_of(const Case& c, const Sample& sample)
{
  const auto scalar = sample.scalars.find("interval");
  if (scalar == sample.scalars.end()) return c.twin.interval;
  const Tensor& values = scalar->second.values;
  const double interval = values[0].item<double>();
  // Differences of times carry their rounding.
  if (!(interval > 0) || !((values - interval).abs() <= 1e-6 * interval).all().item<bool>())
    throw DataError({.doing = doing,
                     .where = "scalar \"interval\"",
                     .found = fmt::format("from {} to {}", values.min().item<double>(), values.max().item<double>()),
                     .expected = "one positive time, the same of all samples",
                     .advice = ""});
  return interval;
}

// ---- What is known of the truth

/// The coefficients that make the model the truth, of a twin experiment whose library can say that.
struct TrueCoefficients {
  std::map<std::string, Eigen::VectorXd> missing;  ///< By field.
  std::map<std::string, Eigen::VectorXd> whole;    ///< Of the true equation; of fields where the library can say it.
};

/// By least squares of exact tendencies on exact terms. States are made so smooth that products have no aliases: then
/// a difference that is in the library is met to rounding.
TrueCoefficients true_coefficients(const Case& c, const Sample& pairs)
{
  const auto* truth = dynamic_cast<const physics::PeriodicEquation*>(c.truth.get());
  const auto* model = dynamic_cast<const physics::PeriodicEquation*>(c.equation.get());
  if (!truth || !model) return {};
  Sample smooth{.domain = pairs.domain, .fields = {}, .scalars = {}, .time = pairs.time};
  const Grid& grid = pairs.grid();
  Tensor mask = torch::ones({}, torch::kFloat64);
  for (std::size_t axis = 0; axis < grid.axes.size(); ++axis)
    mask = mask * ((physics::wave_numbers(grid, axis) * grid.axes[axis].spacing).abs() < M_PI / 8).to(torch::kFloat64);
  const Sample some = pairs.members(0, std::min<std::int64_t>(pairs.batch(), 10));
  const Tensor states = physics::from_modes(physics::to_modes(stack_channels(some, model->state())) * mask, grid);
  smooth.fields = split_channels(states, describe_channels(some, model->state()));

  auto options = c.discovery;
  options.derivatives = assimilation::Differentiation::spectral;
  options.support.clear();
  const Tensor whole = truth->tendency(states, grid), missing = whole - model->tendency(states, grid);
  Sample terms = physics::with_diagnostics(*model, smooth);
  const Library library(options, terms, model->state());
  const Eigen::MatrixXd columns = library.columns(terms);
  TrueCoefficients known;
  const auto state = model->state();
  for (std::size_t i = 0; i < state.size(); ++i) {
    const auto regress = [&](const Tensor& rate, std::map<std::string, Eigen::VectorXd>& into) {
      terms.fields["rate"] = {.values = rate.narrow(1, static_cast<std::int64_t>(i), 1), .unit = "1"};
      const assimilation::RegressionProblem problem(columns, library.target(terms, "rate"));
      const auto fit = problem.thresholded_least_squares(1e-7);
      if (fit.mean_square <= 1e-12 * problem.mean_square()) into[state[i]] = fit.coefficients;
    };
    regress(missing, known.missing);
    regress(whole, known.whole);
  }
  return known;
}

// ---- Results

std::string term_text(double coefficient, const std::string& term)
{
  return fmt::format(" {} {:.4g} {}", coefficient < 0 ? "-" : "+", std::abs(coefficient), term);
}

nlohmann::ordered_json to_json(const Discovered& found, const Library& library, const TrueCoefficients& known)
{
  using Json = nlohmann::ordered_json;
  Json terms = Json::array(), curve = Json::array();
  const auto truth = known.missing.find(found.field);
  for (Eigen::Index i = 0; i < found.fit.coefficients.size(); ++i) {
    const double coefficient = found.fit.coefficients[i];
    const double exact = truth == known.missing.end() ? 0 : truth->second[i];
    if (coefficient == 0 && exact == 0) continue;
    const auto& formula = library.terms()[static_cast<std::size_t>(i)];
    Json term = {{"term", formula.text()},
                 {"latex", formula.latex()},
                 {"coefficient", coefficient},
                 {"standard_deviation", found.fit.deviations[i]}};
    if (truth != known.missing.end()) term["true"] = exact;
    terms.push_back(term);
  }
  for (const auto& point : found.sweep)
    curve.push_back(
        {{"threshold", point.threshold}, {"terms", point.fit.terms()}, {"mean_square", point.fit.mean_square}});
  return {{"terms", terms},
          {"threshold", found.sweep[found.chosen].threshold},
          {"mean_square_of_increments", found.mean_square_of_target},
          {"mean_square_left", found.fit.mean_square},
          {"l_curve", curve}};
}

void report(const RunFolder& folder, const Discovered& found, const Library& library, const std::string& equation)
{
  std::string text, latex;
  for (Eigen::Index i = 0; i < found.fit.coefficients.size(); ++i)
    if (const double coefficient = found.fit.coefficients[i]; coefficient != 0) {
      const auto& formula = library.terms()[static_cast<std::size_t>(i)];
      text += term_text(coefficient, formula.text());
      latex += term_text(coefficient, formula.latex());
    }
  folder.log->info("d {}/dt = {}{}", found.field, equation, text.empty() ? ", nothing more" : text);
  if (!latex.empty())
    folder.log->info("LaTeX: \\partial_t {} = \\ldots{}", physics::Formula::parse(found.field).latex(), latex);
  folder.log->info("{}: {:.3g} of the increments' mean square is left", found.field,
                   found.fit.mean_square / found.mean_square_of_target);
}

void measure(const Discovered& found, const TrueCoefficients& known, const std::string& suffix,
             std::map<std::string, io::Metric>& summary)
{
  summary["terms" + suffix] = static_cast<std::int64_t>(found.fit.terms());
  summary["unexplained" + suffix] = found.fit.mean_square / found.mean_square_of_target;
  const auto missing = known.missing.find(found.field), whole = known.whole.find(found.field);
  if (missing == known.missing.end()) return;
  const double error = (found.fit.coefficients - missing->second).norm();
  if (const double size = missing->second.norm(); size > 0) summary["correction_error" + suffix] = error / size;
  if (whole == known.whole.end()) return;
  summary["equation_error_percent" + suffix] = 100 * error / whole->second.norm();
  summary["model_error_percent" + suffix] = 100 * missing->second.norm() / whole->second.norm();
}

void draw(const RunFolder& folder, const Discovered& found, const Library& library, const TrueCoefficients& known,
          const std::string& suffix)
{
  const auto truth = known.missing.find(found.field);
  std::vector<std::string> labels;
  std::vector<double> coefficients, deviations, exact;
  for (Eigen::Index i = 0; i < found.fit.coefficients.size(); ++i) {
    const double coefficient = found.fit.coefficients[i];
    const double true_one = truth == known.missing.end() ? 0 : truth->second[i];
    if (coefficient == 0 && true_one == 0) continue;
    labels.push_back(library.terms()[static_cast<std::size_t>(i)].text());
    coefficients.push_back(coefficient);
    deviations.push_back(found.fit.deviations[i]);
    exact.push_back(true_one);
  }
  const auto numbers = [](const std::vector<double>& values) { return torch::tensor(values, torch::kFloat64); };
  std::vector<io::Marks> marks = {{"found", numbers(coefficients), numbers(deviations)}};
  if (truth != known.missing.end()) marks.push_back({"true", numbers(exact), {}});
  if (!labels.empty())
    io::draw_marks(folder.path / "figures" / ("coefficients" + suffix + ".png"), labels, marks,
                   {.title = "", .x = "coefficient in d" + found.field + "/dt", .y = ""});
  if (found.sweep.size() < 2) return;
  std::vector<std::pair<double, double>> points = {{0, found.mean_square_of_target}};
  for (const auto& point : found.sweep)
    points.emplace_back(static_cast<double>(point.fit.terms()), point.fit.mean_square);
  std::sort(points.begin(), points.end());
  std::vector<double> terms, left;
  for (const auto& [count, mean_square] : points) {
    terms.push_back(count);
    left.push_back(mean_square);
  }
  io::draw_curves(folder.path / "figures" / ("l_curve" + suffix + ".png"),
                  {{"of each threshold", numbers(terms), numbers(left)},
                   {"chosen", numbers({static_cast<double>(found.fit.terms()), static_cast<double>(found.fit.terms())}),
                    numbers({found.mean_square_of_target, found.sweep[found.chosen].fit.mean_square})}},
                  {.title = "", .x = "terms", .y = "mean square left", .log_y = true});
}

// ---- The corrected model

/// A run from several states: values at equal times, [time][batch, channel, …]; shorter if it did not stay finite.
struct Run {
  std::string name;
  std::vector<Tensor> states;
  bool finite = true;
};

Run follow(const std::string& name, EvolvingSolver& solver, Sample state, const std::vector<std::string>& fields,
           double interval, std::int64_t steps)
{
  Run run{.name = name, .states = {stack_channels(state, fields)}, .finite = true};
  for (std::int64_t step = 0; step < steps && run.finite; ++step) {
    try {
      state = solver.advance(state, interval);
      run.states.push_back(stack_channels(state, fields));
    } catch (const SolverError&) {
      run.finite = false;
    }
  }
  return run;
}

/// Mean over members of ‖a − b‖ / ‖b‖ at each time both have.
Tensor error_growth(const Run& run, const Run& truth)
{
  std::vector<Tensor> errors;
  for (std::size_t i = 0; i < run.states.size(); ++i) {
    const Tensor exact = truth.states[i].flatten(1);
    errors.push_back(((run.states[i].flatten(1) - exact).norm(2, 1) / exact.norm(2, 1)).mean());
  }
  return torch::stack(errors);
}

/// The first time at which the error is above a half, or the last there is.
double useful_time(const Tensor& errors, double interval)
{
  for (std::int64_t i = 0; i < errors.size(0); ++i)
    if (!(errors[i].item<double>() < 0.5)) return static_cast<double>(i) * interval;
  return static_cast<double>(errors.size(0) - 1) * interval;
}

/// ⟨|û(k)|²⟩ by the wave number along the last axis, mean over times, members, channels and other axes.
Tensor spectrum(const Run& run)
{
  Tensor sum = torch::zeros({}, torch::kFloat64);
  for (const Tensor& state : run.states) {
    const Tensor power = torch::fft::rfft(state, c10::nullopt, -1, "forward").abs().square();
    sum = sum + power.reshape({-1, power.size(-1)}).mean(0);
  }
  return sum / static_cast<double>(run.states.size());
}

double energy(const Run& run)
{
  double sum = 0;
  for (const Tensor& state : run.states) sum += state.square().mean().item<double>() / 2;
  return sum / static_cast<double>(run.states.size());
}

physics::CorrectedEquation correct(const physics::PeriodicEquation& base, const std::vector<Discovered>& found,
                                   const Library& library, const Grid& grid)
{
  std::vector<physics::Correction> corrections;
  for (const Discovered& here : found)
    for (Eigen::Index i = 0; i < here.fit.coefficients.size(); ++i)
      if (here.fit.coefficients[i] != 0)
        corrections.push_back({here.field, here.fit.coefficients[i], library.terms()[static_cast<std::size_t>(i)]});
  return {base, corrections, grid};
}

/// Corrects the coefficients by what the corrected model leaves of pairs whose observations are known.
void refine(const Case& c, const RunFolder& folder, const physics::PeriodicEquation& base, const Sample& pairs,
            std::vector<Discovered>& found, const Library& library, double interval)
{
  for (std::int64_t time = 0; time < c.discovery.refinements; ++time) {
    const auto corrected = correct(base, found, library, pairs.grid());
    const auto solver = solvers::make_reference_solver(corrected, c.stepping);
    std::vector<std::string> fields;
    for (const Discovered& here : found) fields.push_back(here.field);
    std::optional<Sample> left;
    try {
      left = assimilation::with_model(*solver, pairs, fields, interval);
    } catch (const SolverError& error) {
      folder.log->warn("coefficients are not refined: {}", error.what());
      return;
    }
    const Sample terms = physics::with_diagnostics(base, *left);
    for (Discovered& here : found) assimilation::refine(here, library, terms, interval);
  }
}

/// Runs truth, model and corrected model from the same states.
void try_out(const Case& c, const RunFolder& folder, const Sample& pairs, const std::vector<Discovered>& found,
             const Library& library, std::map<std::string, io::Metric>& summary)
{
  const auto* base = dynamic_cast<const physics::PeriodicEquation*>(c.equation.get());
  if (!base || !c.truth) return;
  const auto corrected = correct(*base, found, library, pairs.grid());
  const auto truth_solver = solvers::make_reference_solver(*c.truth, c.truth_stepping);
  const auto model_solver = solvers::make_reference_solver(*c.evolving(), c.stepping);
  const auto corrected_solver = solvers::make_reference_solver(corrected, c.stepping);

  // States that no regression saw, some time after those that it did.
  const auto fields = base->state();
  Sample start{.domain = pairs.domain, .fields = {}, .scalars = {}, .time = pairs.time};
  for (const std::string& field : fields) start.fields[field] = pairs.field(field);
  start = truth_solver->advance(start.members(0, std::min<std::int64_t>(start.batch(), 8)), c.twin.spacing / 2);

  const auto runs_over = [&](double duration, std::int64_t steps) {
    const double interval = duration / static_cast<double>(steps);
    return std::array{follow("truth", *truth_solver, start, fields, interval, steps),
                      follow("model", *model_solver, start, fields, interval, steps),
                      follow("corrected model", *corrected_solver, start, fields, interval, steps)};
  };
  if (c.discover.forecast > 0) {
    constexpr std::int64_t steps = 100;
    const double interval = c.discover.forecast / steps;
    const auto [truth, model, better] = runs_over(c.discover.forecast, steps);
    const auto curve = [&](const Run& run) {
      const Tensor errors = error_growth(run, truth);
      return io::Curve{run.name, torch::arange(errors.size(0), torch::kFloat64) * interval, errors};
    };
    const io::Curve before = curve(model), after = curve(better);
    io::draw_curves(folder.path / "figures" / "forecast.png", {before, after},
                    {.title = "", .x = "time", .y = "relative L2 error", .log_y = true});
    summary["useful_time_model"] = useful_time(before.y, interval);
    summary["useful_time_corrected"] = useful_time(after.y, interval);
    folder.log->info("forecasts are wrong by a half after {:.3g} with the model, {:.3g} with the corrected model{}",
                     useful_time(before.y, interval), useful_time(after.y, interval),
                     useful_time(after.y, interval) >= c.discover.forecast ? " or later" : "");
    if (truth.states.front().dim() == 3) {
      std::vector<io::Panel> panels;
      std::vector<Tensor> rows;
      for (const Tensor& state : truth.states) rows.push_back(state[0][0]);
      const io::Range range = io::common_range({torch::stack(rows)});
      for (const Run* run : {&truth, &model, &better}) {
        const Tensor shown = torch::full_like(torch::stack(rows), NAN);
        for (std::size_t i = 0; i < run->states.size(); ++i)
          shown[static_cast<std::int64_t>(i)].copy_(run->states[i][0][0]);
        panels.push_back({.title = run->name,
                          .values = shown,
                          .unit = pairs.field(fields.front()).unit,
                          .colours = io::ColourMap::diverging,
                          .range = range,
                          .aspect = 1.0});
      }
      io::draw_fields(folder.path / "figures" / "hovmoeller.png", panels,
                      fmt::format("{} to time {:.4g}, upwards", fields.front(), c.discover.forecast));
    }
  }
  if (c.discover.statistics > 0) {
    const auto steps = static_cast<std::int64_t>(std::ceil(c.discover.statistics / c.twin.spacing * 10));
    const auto runs = runs_over(c.discover.statistics, steps);
    const Tensor exact = spectrum(runs[0]);
    std::vector<io::Curve> curves;
    for (const Run& run : runs) {
      const std::string key = &run == &runs[0] ? "truth" : &run == &runs[1] ? "model" : "corrected";
      if (!run.finite) {
        folder.log->info("{} does not stay finite", run.name);
        continue;
      }
      const Tensor own = spectrum(run);
      curves.push_back({run.name, torch::arange(own.size(0), torch::kFloat64), own});
      summary["energy_" + key] = energy(run);
      if (&run != &runs[0]) summary["spectrum_error_" + key] = ((own - exact).norm() / exact.norm()).item<double>();
      folder.log->info("mean energy over {:.4g}: {:.4g} ({})", c.discover.statistics, energy(run), run.name);
    }
    io::draw_curves(folder.path / "figures" / "spectrum.png", curves,
                    {.title = "", .x = "wave number", .y = "energy", .log_x = true, .log_y = true});
  }
}

}  // namespace

void discover(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  if (ranks.size() > 1)
    throw OptionError({.doing = doing,
                       .where = "mpiexec",
                       .found = fmt::format("{} ranks", ranks.size()),
                       .expected = "one",
                       .advice = "`locum discover` without mpiexec"});
  if (c.discover.increments.empty() && !c.truth)
    throw OptionError({.doing = doing,
                       .where = "the case",
                       .found = "neither increments nor [truth]",
                       .expected = "discovery.increments, or what differs from [equation] in [truth]",
                       .advice = "--set discovery.increments=FILE"});

  Sample sample{};
  std::vector<std::string> fields;
  std::map<std::string, io::Metric> summary;
  if (c.discover.increments.empty()) {
    fields = c.evolving()->state();
    const auto model = solvers::make_reference_solver(*c.evolving(), c.stepping);
    sample = assimilation::with_model(*model, observed_pairs(c, folder, fields, summary), fields, c.twin.interval);
  } else {
    const fs::path where = c.discover.increments;
    const auto dataset = io::open_dataset(fs::is_directory(where) ? where / "increments.h5" : where, c.dataset);
    fields = fields_with_increments(*dataset);
    const auto known = dataset->fields();
    const bool analyses = std::any_of(known.begin(), known.end(),
                                      [&](const auto& field) { return field.name == fields.front() + "_analysis"; });
    if (analyses && c.evolving()) {
      const Sample pairs =
          pairs_of_analyses(read_all(*dataset, with_endings(fields, {"", "_analysis"})), fields, c.discover.window);
      const auto model = solvers::make_reference_solver(*c.evolving(), c.stepping);
      sample = assimilation::with_model(*model, pairs, fields, interval_of(c, pairs));
    } else sample = read_all(*dataset, with_endings(fields, {"", "_increment"}));
  }
  const auto* periodic = dynamic_cast<const physics::PeriodicEquation*>(c.equation.get());
  const Sample terms = periodic ? physics::with_diagnostics(*periodic, sample) : sample;
  const Library library(c.discovery, terms, fields);
  const double interval = interval_of(c, sample);
  auto found = assimilation::discover(c.discovery, library, terms, fields, interval, folder.log);
  if (periodic && sample.fields.contains(fields.front() + "_start"))
    refine(c, folder, *periodic, sample, found, library, interval);
  const TrueCoefficients known = c.truth ? true_coefficients(c, sample) : TrueCoefficients();

  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const Discovered& here : found) {
    const std::string suffix = found.size() > 1 ? "_" + here.field : "";
    report(folder, here, library, c.equation ? c.equation->name() : "the model");
    json[here.field] = to_json(here, library, known);
    measure(here, known, suffix, summary);
    draw(folder, here, library, known, suffix);
    if (const auto error = summary.find("equation_error_percent" + suffix); error != summary.end())
      folder.log->info("{}: coefficients of the equation are wrong by {:.3g} %, those of the model by {:.4g} %",
                       here.field, std::get<double>(error->second),
                       std::get<double>(summary.at("model_error_percent" + suffix)));
    else if (const auto of = summary.find("correction_error" + suffix); of != summary.end())
      folder.log->info("{}: coefficients found are wrong by {:.3g} %", here.field, 100 * std::get<double>(of->second));
  }
  const std::string text = json.dump(2) + "\n";
  io::write_atomically(folder.path / "discovered.json", std::as_bytes(std::span(text)));
  try_out(c, folder, sample, found, library, summary);
  io::add_to_summary(folder.summary(), summary);
  compare_with_target(c, folder, summary);
  folder.log->info("terms and figures: {}", folder.path.string());
}

}  // namespace locum::cli
