#include <locum/core/error.hpp>
#include <locum/io/datasets/netcdf_writer.hpp>
#include <locum/io/figures/figure.hpp>
#include <locum/io/logs/metrics.hpp>
#include <locum/io/paraview/paraview.hpp>
#include <locum/operators/ensemble.hpp>
#include <locum/operators/training/trainer.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <fmt/ranges.h>

#include <chrono>
#include <functional>
#include <optional>

#include "../data.hpp"
#include "../measurement.hpp"
#include "../record.hpp"
#include "../rollout.hpp"
#include "../table.hpp"
#include "../target.hpp"
#include "verbs.hpp"

namespace locum::cli {

using operators::Surrogate;
using operators::SurrogateEnsemble;
namespace fs = std::filesystem;

namespace {

/// Median seconds of one solve, problems one at a time, after one that is not counted.
double seconds_per_solve(const std::function<Sample(const Sample&)>& solve, const Sample& problems)
{
  std::vector<double> seconds;
  solve(problems.members(0, 1));
  for (std::int64_t i = 0; i < problems.batch(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    solve(problems.members(i, 1));
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2), seconds.end());
  return seconds[seconds.size() / 2];
}

/// Draws of the error distribution from the smallest to the largest, `count` of them.
std::vector<std::int64_t> spread_over(const Tensor& errors, std::int64_t count)
{
  const Tensor order = errors.argsort();
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < std::min(count, errors.size(0)); ++i)
    chosen.push_back(
        order[count == 1 ? errors.size(0) / 2 : i * (errors.size(0) - 1) / (count - 1)].item<std::int64_t>());
  return chosen;
}

/// Inputs, truth, prediction and difference of every output field under their own names, and its deviation, if there is
/// one.
Sample side_by_side(const Sample& test, const Sample& prediction, const std::vector<std::string>& inputs)
{
  Sample shown{.domain = test.domain, .fields = {}, .scalars = {}, .time = test.time};
  for (const std::string& name : inputs) shown.fields[name] = test.field(name);
  for (const auto& [name, field] : prediction.fields) {
    if (!test.fields.contains(name)) {
      shown.fields[name] = field;
      continue;
    }
    const Field& truth = test.field(name);
    shown.fields[name] = truth;
    shown.fields[name + "_predicted"] = field;
    shown.fields[name + "_error"] = {.values = field.values - truth.values, .unit = truth.unit};
  }
  return shown;
}

void draw_member(const fs::path& picture, const Sample& shown, const std::vector<std::string>& inputs,
                 const std::vector<std::string>& outputs, const std::string& title)
{
  std::vector<io::Panel> panels;
  // Of three axes the middle plane, of a velocity its magnitude, with streamlines.
  const auto planes = [](const Field& field) {
    const Tensor components = field.values[0];
    return components.dim() == 4 ? components.select(1, components.size(1) / 2) : components;
  };
  const auto is_flow = [](const Field& field) { return field.values.size(1) == 2 && field.values.dim() == 4; };
  const auto plane = [&](const Field& field) { return is_flow(field) ? planes(field).norm(2, 0) : planes(field)[0]; };
  const auto flow = [&](const Field& field) { return is_flow(field) ? planes(field) : Tensor(); };
  for (const std::string& name : inputs) {
    const Field& field = shown.field(name);
    panels.push_back({.title = name, .values = plane(field), .unit = field.unit});
  }
  for (const std::string& name : outputs) {
    const Field &truth = shown.field(name), &error = shown.field(name + "_error");
    Field prediction = shown.field(name + "_predicted");  // but nothing where there is nothing to be predicted
    prediction.values = torch::where(truth.values.isnan(), truth.values, prediction.values);
    const io::Range range = io::common_range({plane(truth), plane(prediction)});
    panels.push_back({.title = name + ", reference",
                      .values = plane(truth),
                      .unit = truth.unit,
                      .range = range,
                      .flow = flow(truth)});
    panels.push_back({.title = name + ", predicted",
                      .values = plane(prediction),
                      .unit = truth.unit,
                      .range = range,
                      .flow = flow(prediction)});
    panels.push_back({.title = "error",
                      .values = plane(error),
                      .unit = truth.unit,
                      .colours = is_flow(error) ? io::ColourMap::sequential : io::ColourMap::diverging});
  }
  io::draw_fields(picture, panels, title);
}

void draw_training(const Case& c, const RunFolder& folder)
{
  std::vector<io::Curve> curves;
  for (const fs::path& file : folder.surrogates(c)) {
    const RunRecord record = record_of(file.parent_path());
    const std::string member = c.members() > 1 ? ", member " + file.parent_path().filename().string() : "";
    const bool validated = record.validation.isfinite().any().item<bool>();
    if (member.empty() || !validated)
      curves.push_back({.name = "training loss" + member, .x = record.epoch, .y = record.training_loss});
    if (validated)
      curves.push_back({.name = "validation, relative L2" + member, .x = record.epoch, .y = record.validation});
  }
  io::draw_curves(folder.path / "figures" / "loss.png", curves,
                  {.title = "", .x = "epoch", .y = "error", .log_y = true});
}

/// Means over samples that come piece after piece.
class RunningMean {
 public:
  void add(const Tensor& mean, std::int64_t count)
  {
    sum_ = sum_.defined() ? sum_ + mean * count : mean * count;
    count_ += count;
  }
  Tensor value() const { return sum_ / count_; }

 private:
  Tensor sum_;
  std::int64_t count_ = 0;
};

/// Spectra of planar fields.
struct Spectra {
  RunningMean truth, prediction, error;

  void add(const Tensor& true_values, const Tensor& predicted)
  {
    const auto energy = [](const Tensor& fields) { return io::radial_spectrum(fields.flatten(0, 1)).energy; };
    truth.add(energy(true_values), true_values.size(0));
    prediction.add(energy(predicted), predicted.size(0));
    error.add(energy(predicted - true_values), predicted.size(0));
  }
  /// @param slopes  whether to draw what cascades of two- and three-dimensional turbulence have beside them
  void draw(const fs::path& picture, bool slopes) const
  {
    const auto curve = [](const std::string& name, const RunningMean& mean) {
      return io::Curve{.name = name, .x = torch::arange(mean.value().numel(), torch::kFloat64), .y = mean.value()};
    };
    std::vector<io::Curve> curves = {curve("reference", truth), curve("predicted", prediction), curve("error", error)};
    const std::int64_t waves = truth.value().numel(), first = 4;
    if (slopes && waves > 4 * first) {
      const Tensor k = torch::arange(first, waves / 2, torch::kFloat64), level = truth.value()[first];
      curves.push_back({.name = "slope −5/3", .x = k, .y = level * (k / first).pow(-5.0 / 3)});
      curves.push_back({.name = "slope −3", .x = k, .y = level * (k / first).pow(-3)});
    }
    io::draw_curves(picture, curves, {.title = "", .x = "wave number", .y = "energy", .log_x = true, .log_y = true});
  }
};

/// Truth and prediction of all test samples, for a netCDF file: trajectories are its realizations.
class Predictions {
 public:
  explicit Predictions(const Case& c, const TestData& test) : c_(c), test_(test) {}

  /// The next samples, in the order of the file.
  void add(const Sample& truth, const Sample& prediction)
  {
    domain_ = truth.domain;
    for (const auto& [name, field] : prediction.fields) {
      const bool deviation = !truth.fields.contains(name);
      if (!deviation) put(name, truth.field(name));
      put(deviation ? name : name + "_predicted", field);
    }
    done_ += prediction.batch();
  }

  void write(const fs::path& file) const
  {
    std::vector<Sample> steps;
    for (std::int64_t window = 0; window < test_.windows(); ++window) {
      steps.push_back({.domain = domain_, .fields = {}, .scalars = {}, .time = test_.time(window)});
      for (const auto& [name, field] : fields_)
        steps.back().fields[name] = {
            .values = field.values.unflatten(0, {test_.trajectories(), test_.windows()}).select(1, window),
            .unit = field.unit};
    }
    const io::Dataset& dataset = test_.dataset();
    io::write_netcdf(file, steps,
                     {.title = "predictions of " + c_.name + " beside " + dataset.file().string(),
                      .time_unit = dataset.time_unit(),
                      .calendar = dataset.calendar()});
  }

 private:
  void put(const std::string& name, const Field& field)
  {
    Field& all = fields_[name];
    if (!all.values.defined()) {
      auto shape = field.values.sizes().vec();
      shape[0] = test_.size();
      all = {.values = torch::empty(shape, field.values.options()), .unit = field.unit};
      bytes_ += 2 * static_cast<double>(all.values.nbytes());  // here and in the file's image
      if (const double most = c_.data.memory * (1 << 30); bytes_ > most)
        throw OptionError({.doing = "keeping all predictions for a netCDF file",
                           .where = "evaluate.netcdf",
                           .found = fmt::format("{:.2g} GiB", bytes_ / (1 << 30)),
                           .expected = fmt::format("at most data.memory, {:.2g} GiB", c_.data.memory),
                           .advice = "more data.memory, or fewer test samples"});
    }
    all.values.narrow(0, done_, field.values.size(0)).copy_(field.values);
  }

  const Case& c_;
  const TestData& test_;
  Domain domain_;
  std::map<std::string, Field> fields_;
  std::int64_t done_ = 0;
  double bytes_ = 0;
};

}  // namespace

static void refuse_several(const Communicator& ranks)
{
  if (ranks.size() > 1)
    throw OptionError({.doing = "evaluating",
                       .where = "mpiexec",
                       .found = fmt::format("{} ranks", ranks.size()),
                       .expected = "one",
                       .advice = "`locum evaluate` without mpiexec"});
}

void evaluate_on(const Communicator& ranks, const Case& c, const RunFolder& folder,
                 const std::vector<std::string>& files)
{
  refuse_several(ranks);
  auto ensemble = SurrogateEnsemble::load(folder.surrogates(c));
  ensemble.to(operators::find_device(c.training.device));
  Surrogate& surrogate = ensemble.members().front();  // as to what is read and predicted, like all of them
  const auto outputs = operators::fields_of(surrogate.outputs());
  auto fields = operators::fields_of(surrogate.inputs());
  fields.insert(fields.end(), outputs.begin(), outputs.end());

  std::vector<std::vector<std::string>> rows;
  std::map<std::string, io::Metric> summary;
  const auto add = [&](const std::string& name, const TestData& test) {
    const Measurement measured = measure(ensemble, test);
    const double mean = measured.errors.mean().item<double>();
    const auto [low, high] = operators::confidence_of_mean(measured.errors);
    auto results = measured.statistics.results();
    if (rows.empty()) {
      rows.push_back({"", "grid", "samples", "relative L2", "95 % interval"});
      for (const auto& [metric, value] : results) rows.front().push_back(metric);
    }
    std::vector<std::string> row = {
        name, fmt::format("{}", fmt::join(shape_of(test.dataset().domain(test.fields())), " × ")),
        fmt::format("{}", test.size()), fmt::format("{:.4f}", mean), fmt::format("{:.4f} … {:.4f}", low, high)};
    for (std::size_t i = row.size(); i < rows.front().size(); ++i) {
      const auto found = results.find(rows.front()[i]);  // a coarse grid has no high wave numbers
      row.push_back(found == results.end() ? "–" : fmt::format("{:.3g}", found->second));
    }
    rows.push_back(std::move(row));
    results["relative_l2"] = mean;
    results["relative_l2_low"] = low;
    results["relative_l2_high"] = high;
    for (const auto& [metric, value] : results) summary[metric + " on " + name] = value;
    summary["test_samples on " + name] = test.size();
  };
  add("test", TestData(c, folder, fields));
  for (const std::string& file : files) add(file, TestData(c, fs::path(file), fields));
  io::add_to_summary(folder.summary(), summary);
  folder.log->info("{}", table(rows));
}

void evaluate(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  refuse_several(ranks);
  auto ensemble = SurrogateEnsemble::load(folder.surrogates(c));
  ensemble.to(operators::find_device(c.training.device));
  Surrogate& surrogate = ensemble.members().front();  // as to what is read and predicted, like all of them
  const auto inputs = operators::fields_of(surrogate.inputs()), outputs = operators::fields_of(surrogate.outputs());
  std::vector<std::string> fields = inputs;
  fields.insert(fields.end(), outputs.begin(), outputs.end());
  const TestData test(c, folder, fields);

  std::vector<Tensor> errors_of_mean, errors_of_persistence;
  RunningMean residuals;
  Spectra spectra;
  std::optional<Predictions> predictions;
  if (c.evaluate.netcdf) predictions.emplace(c, test);
  bool planar = false, has_planes = false;
  const auto look = [&](const Sample& samples, const Sample& prediction, const Tensor& truth, const Tensor& predicted) {
    const auto error_of = [&](const Tensor& some) {
      return operators::errors_of(operators::Loss::relative_l2, some, truth);
    };
    if (!surrogate.missing) {
      if (c.training.output_normaliser == operators::Normalisation::unit_gaussian && !surrogate.changes)
        errors_of_mean.push_back(error_of(surrogate.output_normaliser.decode(torch::zeros_like(truth))));
      if (surrogate.interval > 0 && surrogate.knows_now())
        errors_of_persistence.push_back(error_of(surrogate.now(stack_channels(samples, inputs))));
    }
    planar = truth.dim() == 4;
    has_planes = truth.dim() >= 4;
    if (planar) spectra.add(truth, predicted);
    if (predictions) predictions->add(samples, prediction);
    if (!c.steady()) return;
    const Tensor residual = c.steady()->residual(samples.to(torch::kFloat64), prediction.to(torch::kFloat64));
    const Tensor forcing = c.steady()->forcing(samples.to(torch::kFloat64));
    residuals.add((residual.flatten(1).norm(2, 1) / forcing.flatten(1).norm(2, 1)).mean(), residual.size(0));
  };
  const Measurement measured = measure(ensemble, test, look);
  const Tensor& errors = measured.errors;
  const auto [low, high] = operators::confidence_of_mean(errors);
  std::map<std::string, io::Metric> summary = {
      {"relative_l2", errors.mean().item<double>()},
      {"relative_l2_low", low},
      {"relative_l2_high", high},
      {"relative_l2_median", errors.median().item<double>()},
      {"relative_l2_max", errors.max().item<double>()},
      {"test_samples", errors.size(0)},
  };

  for (const auto& [name, value] : measured.statistics.results()) summary[name] = value;
  if (measured.spread) {
    const Spread& spread = *measured.spread;
    summary["spread"] = spread.deviation;
    summary["spread_over_error"] = spread.over_error;
    summary["spread_error_correlation"] = spread.correlation;
    summary["coverage_95"] = spread.coverage;
    folder.log->info(
        "{} members: deviation {:.4f}, {:.2f} of the error; correlation with it over samples {:.2f}; {:.0f} % "
        "of the truth within 1.96 deviations",
        ensemble.members().size(), spread.deviation, spread.over_error, spread.correlation, 100 * spread.coverage);
  }
  std::vector<std::vector<std::string>> parts = {{"", "samples", "relative L2"}};
  const auto add_part = [&](const std::string& name, std::int64_t samples, double error) {
    summary["relative_l2 " + name] = error;
    parts.push_back({name, fmt::format("{}", samples), fmt::format("{:.4f}", error)});
  };
  if (surrogate.outputs().size() > 1)
    for (std::size_t i = 0; i < surrogate.outputs().size(); ++i)
      add_part(fmt::format("{}[{}]", surrogate.outputs()[i].field, surrogate.outputs()[i].component), errors.size(0),
               measured.of_channels.select(1, static_cast<std::int64_t>(i)).mean().item<double>());
  for (const Group& group : errors_by_parameter(measured)) add_part(group.name, group.samples, group.error);
  if (!errors_of_mean.empty()) summary["relative_l2_of_mean"] = torch::cat(errors_of_mean).mean().item<double>();
  if (!errors_of_persistence.empty())
    summary["relative_l2_of_persistence"] = torch::cat(errors_of_persistence).mean().item<double>();

  Sample timed = test.read(0);
  for (std::int64_t i = 1; i < std::min(c.evaluate.timed, test.size()); ++i) timed.append(test.read(i));
  const double seconds = seconds_per_solve([&](const Sample& problem) { return ensemble.solve(problem); }, timed);
  summary["seconds_per_solve"] = seconds;
  std::optional<double> reference_seconds;
  if (c.steady()) {
    summary["relative_residual"] = residuals.value().item<double>();
    if (solvers::petsc_available()) {
      const auto reference = solvers::make_reference_solver(*c.steady(), Communicator(), c.petsc);
      reference_seconds = seconds_per_solve([&](const Sample& problem) { return reference->solve(problem); }, timed);
    }
  }
  if (surrogate.interval > 0 && c.data.horizon > 0 && c.data.inputs == c.data.outputs)
    roll_out(c, folder, ensemble, summary);
  if (c.evolving() && solvers::has_reference_solver(*c.evolving()))
    reference_seconds = seconds_of_reference(c, surrogate.interval * static_cast<double>(c.data.horizon));
  if (reference_seconds) {
    summary["seconds_per_reference_solve"] = *reference_seconds;
    summary["speed_up"] = *reference_seconds / seconds;
  }
  io::add_to_summary(folder.summary(), summary);

  draw_training(c, folder);
  io::draw_histogram(folder.path / "figures" / "errors.png", errors,
                     {.title = "", .x = "relative L2 error", .y = "test samples"});
  if (planar) spectra.draw(folder.path / "figures" / "spectrum.png", c.evolving() != nullptr);
  std::optional<io::ParaviewSeries> series;
  if (io::paraview_available()) series.emplace(folder.path / "paraview" / "test.pvd");
  for (const std::int64_t member : spread_over(errors, c.evaluate.shown)) {
    const Sample one = test.read(member);
    const Sample shown = side_by_side(one, ensemble.solve(one), inputs);
    if (has_planes)
      draw_member(folder.path / "figures" / fmt::format("sample_{:04}.png", member), shown, inputs, outputs,
                  fmt::format("test sample {}: relative L2 error {:.2g}", member, errors[member].item<double>()));
    if (series) series->add(static_cast<double>(member), shown);
  }
  if (predictions) predictions->write(folder.path / "predictions.nc");

  if (parts.size() > 1) folder.log->info("{}", table(parts));
  folder.log->info("relative L2 error {:.4f} (median {:.4f}, worst {:.4f}) on {} test samples, {:.2g} ms a solve",
                   errors.mean().item<double>(), errors.median().item<double>(), errors.max().item<double>(),
                   errors.size(0), 1e3 * seconds);
  if (summary.contains("speed_up"))
    folder.log->info("reference solver {:.2g} ms a solve: {:.2g} times as long",
                     1e3 * std::get<double>(summary["seconds_per_reference_solve"]),
                     std::get<double>(summary["speed_up"]));
  compare_with_target(c, folder, summary);
  folder.log->info("figures and ParaView files: {}", folder.path.string());
}

}  // namespace locum::cli
