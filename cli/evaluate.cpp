#include <locum/core/error.hpp>
#include <locum/io/figure.hpp>
#include <locum/io/metrics.hpp>
#include <locum/io/paraview.hpp>
#include <locum/operators/training/trainer.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <chrono>

#include "data.hpp"
#include "verbs.hpp"

namespace locum::cli {

using operators::Surrogate;
namespace fs = std::filesystem;

namespace {

/// Median seconds of one solve, problems one at a time, after one that is not counted.
double seconds_per_solve(SteadySolver& solver, const Sample& problems)
{
  std::vector<double> seconds;
  solver.solve(problems.members(0, 1));
  for (std::int64_t i = 0; i < problems.batch(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    solver.solve(problems.members(i, 1));
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

/// Truth, prediction and difference of one output field, one member, under their own names.
Sample side_by_side(const Sample& test, const Sample& prediction, const std::vector<std::string>& inputs,
                    std::int64_t member)
{
  Sample shown{.domain = test.domain, .fields = {}, .scalars = {}, .time = static_cast<double>(member)};
  for (const std::string& name : inputs) shown.fields[name] = test.members(member, 1).field(name);
  for (const auto& [name, field] : prediction.members(member, 1).fields) {
    const Field& truth = test.field(name);
    const Tensor reference = truth.values.narrow(0, member, 1);
    shown.fields[name] = {.values = reference, .unit = truth.unit};
    shown.fields[name + "_predicted"] = field;
    shown.fields[name + "_error"] = {.values = field.values - reference, .unit = truth.unit};
  }
  return shown;
}

void draw_member(const fs::path& picture, const Sample& shown, const std::vector<std::string>& inputs,
                 const std::vector<std::string>& outputs, const std::string& title)
{
  std::vector<io::Panel> panels;
  const auto plane = [](const Field& field) { return field.values[0][0]; };
  for (const std::string& name : inputs) {
    const Field& field = shown.field(name);
    panels.push_back({.title = name, .values = plane(field), .unit = field.unit});
  }
  for (const std::string& name : outputs) {
    const Field &truth = shown.field(name), &prediction = shown.field(name + "_predicted"),
                &error = shown.field(name + "_error");
    const io::Range range = io::common_range({truth.values, prediction.values});
    panels.push_back({.title = name + ", reference", .values = plane(truth), .unit = truth.unit, .range = range});
    panels.push_back({.title = name + ", predicted", .values = plane(prediction), .unit = truth.unit, .range = range});
    panels.push_back(
        {.title = "error", .values = plane(error), .unit = truth.unit, .colours = io::ColourMap::diverging});
  }
  io::draw_fields(picture, panels, title);
}

void draw_training(const RunFolder& folder)
{
  const auto epochs = io::read_epochs(folder.metrics());
  const auto curve = [&](const std::string& name, const std::string& metric) {
    std::vector<double> x, y;
    for (const auto& [epoch, metrics] : epochs) {
      x.push_back(static_cast<double>(epoch));
      y.push_back(metrics.at(metric));  // NaN, and not drawn, if there was no validation
    }
    return io::Curve{.name = name, .x = torch::tensor(x, torch::kFloat64), .y = torch::tensor(y, torch::kFloat64)};
  };
  io::draw_curves(folder.path / "figures" / "loss.png",
                  {curve("training loss", "training_loss"), curve("validation, relative L2", "validation_relative_l2")},
                  {.title = "", .x = "epoch", .y = "error", .log_y = true});
}

void draw_spectra(const fs::path& picture, const Tensor& truth, const Tensor& prediction)
{
  const auto curve = [](const std::string& name, const Tensor& fields) {
    const auto spectrum = io::radial_spectrum(fields);
    return io::Curve{.name = name, .x = spectrum.wave_number, .y = spectrum.energy};
  };
  io::draw_curves(picture,
                  {curve("reference", truth), curve("predicted", prediction), curve("error", prediction - truth)},
                  {.title = "", .x = "wave number", .y = "energy", .log_x = true, .log_y = true});
}

}  // namespace

void evaluate(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  if (ranks.size() > 1)
    throw OptionError({.doing = "evaluating",
                       .where = "mpiexec",
                       .found = fmt::format("{} ranks", ranks.size()),
                       .expected = "one",
                       .advice = "`locum evaluate` without mpiexec"});
  Surrogate surrogate = Surrogate::load(folder.best());
  surrogate.to(operators::find_device(c.training.device));
  const auto inputs = operators::fields_of(surrogate.inputs()), outputs = operators::fields_of(surrogate.outputs());
  std::vector<std::string> fields = inputs;
  fields.insert(fields.end(), outputs.begin(), outputs.end());
  const Sample test = read_test_samples(c, folder, fields);

  const Sample prediction = surrogate.solve(test);
  Tensor truth = stack_channels(test, outputs), predicted = stack_channels(prediction, outputs);
  if (surrogate.missing) operators::leave_out_missing(predicted, truth);
  const Tensor errors = operators::errors_of(operators::Loss::relative_l2, predicted, truth);
  std::map<std::string, io::Metric> summary = {
      {"relative_l2", errors.mean().item<double>()},
      {"relative_l2_median", errors.median().item<double>()},
      {"relative_l2_max", errors.max().item<double>()},
      {"test_samples", errors.size(0)},
  };

  const Sample timed = test.members(0, std::min(c.evaluate.timed, test.batch()));
  const double seconds = seconds_per_solve(surrogate, timed);
  summary["seconds_per_solve"] = seconds;
  if (c.equation) {
    const Tensor residual = c.equation->residual(test.to(torch::kFloat64), prediction.to(torch::kFloat64));
    const Tensor forcing = c.equation->forcing(test.to(torch::kFloat64));
    summary["relative_residual"] =
        (residual.flatten(1).norm(2, 1) / forcing.flatten(1).norm(2, 1)).mean().item<double>();
    if (solvers::reference_available()) {
      const auto reference = solvers::make_reference_solver(*c.equation, Communicator(), c.petsc);
      const double reference_seconds = seconds_per_solve(*reference, timed);
      summary["seconds_per_reference_solve"] = reference_seconds;
      summary["speed_up"] = reference_seconds / seconds;
    }
  }
  io::add_to_summary(folder.summary(), summary);

  draw_training(folder);
  io::draw_histogram(folder.path / "figures" / "errors.png", errors,
                     {.title = "", .x = "relative L2 error", .y = "test samples"});
  const bool planar = truth.dim() == 4;
  if (planar) draw_spectra(folder.path / "figures" / "spectrum.png", truth.flatten(0, 1), predicted.flatten(0, 1));
  std::optional<io::ParaviewSeries> series;
  if (io::paraview_available()) series.emplace(folder.path / "paraview" / "test.pvd");
  for (const std::int64_t member : spread_over(errors, c.evaluate.shown)) {
    const Sample shown = side_by_side(test, prediction, inputs, member);
    if (planar)
      draw_member(folder.path / "figures" / fmt::format("sample_{:04}.png", member), shown, inputs, outputs,
                  fmt::format("test sample {}: relative L2 error {:.2g}", member, errors[member].item<double>()));
    if (series) series->add(static_cast<double>(member), shown);
  }

  folder.log->info("relative L2 error {:.4f} (median {:.4f}, worst {:.4f}) on {} test samples, {:.2g} ms a solve",
                   errors.mean().item<double>(), errors.median().item<double>(), errors.max().item<double>(),
                   errors.size(0), 1e3 * seconds);
  if (summary.contains("speed_up"))
    folder.log->info("reference solver {:.2g} ms a solve: {:.2g} times as long",
                     1e3 * std::get<double>(summary["seconds_per_reference_solve"]),
                     std::get<double>(summary["speed_up"]));
  if (c.target.accept > 0) {
    const auto metric = summary.find(c.target.metric);
    const auto* value = metric == summary.end() ? nullptr : std::get_if<double>(&metric->second);
    if (!value)
      throw OptionError({.doing = "comparing with the target",
                         .where = "target.metric",
                         .found = fmt::format("\"{}\"", c.target.metric),
                         .expected = "a number in summary.json",
                         .advice = "metric = \"relative_l2\""});
    folder.log->info(
        "{} {:.4f}: {} the accepted {}{}", c.target.metric, *value, *value <= c.target.accept ? "within" : "MISSES",
        c.target.accept,
        c.target.published > 0 ? fmt::format("; published {} ({})", c.target.published, c.target.source) : "");
  }
  folder.log->info("figures and ParaView files: {}", folder.path.string());
}

}  // namespace locum::cli
