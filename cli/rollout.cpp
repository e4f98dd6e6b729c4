#include "rollout.hpp"

#include <locum/io/figures/figure.hpp>
#include <locum/io/paraview/paraview.hpp>
#include <locum/operators/errors.hpp>
#include <locum/operators/rollout.hpp>
#include <locum/operators/training/loss.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "data.hpp"

namespace locum::cli {

using operators::Loss;
using operators::Rollout;
using operators::Surrogate;

namespace {

/// Names of the fields that inputs are made of, without steps.
std::vector<std::string> fields_without_steps(const std::vector<Channel>& inputs)
{
  std::vector<std::string> names;
  for (const std::string& name : operators::fields_of(inputs)) {
    const std::string field = io::field_and_step(name).first;
    if (std::find(names.begin(), names.end(), field) == names.end()) names.push_back(field);
  }
  return names;
}

/// Mean over trajectories of the relative error at each step, [step].
Tensor error_growth(const std::vector<Tensor>& predictions, const std::vector<Tensor>& truth)
{
  std::vector<Tensor> errors;
  for (std::size_t step = 0; step < truth.size(); ++step)
    errors.push_back(operators::errors_of(Loss::relative_l2, predictions[step], truth[step]).mean());
  return torch::stack(errors);
}

/// Mean over trajectories of the correlation with the truth at each step, [step].
Tensor correlations(const std::vector<Tensor>& predictions, const std::vector<Tensor>& truth)
{
  std::vector<Tensor> means;
  for (std::size_t step = 0; step < truth.size(); ++step)
    means.push_back(operators::correlation_of(predictions[step], truth[step]).mean());
  return torch::stack(means);
}

std::vector<Tensor> channels_of(const std::vector<Sample>& states, const std::vector<std::string>& fields)
{
  std::vector<Tensor> channels;
  for (const Sample& state : states) channels.push_back(stack_channels(state, fields));
  return channels;
}

/// A field of one trajectory as time goes by, for fields on a line [time, x]; else as it is at the end.
void draw(const std::filesystem::path& picture, const std::vector<Tensor>& predictions,
          const std::vector<Tensor>& truth, std::int64_t member, const std::string& field, const Field& example,
          double interval)
{
  const auto of_member = [&](const std::vector<Tensor>& steps) {
    std::vector<Tensor> rows;
    for (const Tensor& step : steps) rows.push_back(step[member][0]);
    return rows.front().dim() == 1 ? torch::stack(rows) : rows.back();
  };
  const Tensor shown = of_member(predictions), exact = of_member(truth);
  if (shown.dim() > 2) return;
  const double end = static_cast<double>(truth.size()) * interval;
  const bool line = truth.front().dim() == 3;
  if (line && truth.size() < 8) {
    const Tensor x = torch::arange(exact.size(1), torch::kFloat64);
    io::draw_curves(picture, {{"reference", x, exact[-1]}, {"predicted", x, shown[-1]}},
                    {.title = fmt::format("{} at time {:.4g}", field, end), .x = "x (points)", .y = field});
    return;
  }
  const io::Range range = io::common_range({exact, shown});
  const std::optional<double> aspect = line ? std::optional(1.0) : std::nullopt;
  io::draw_fields(
      picture,
      {{.title = field + ", reference", .values = exact, .unit = example.unit, .range = range, .aspect = aspect},
       {.title = "predicted", .values = shown, .unit = example.unit, .range = range, .aspect = aspect},
       {.title = "error",
        .values = shown - exact,
        .unit = example.unit,
        .colours = io::ColourMap::diverging,
        .aspect = aspect}},
      line ? fmt::format("a trajectory to time {:.4g}, upwards", end) : fmt::format("at time {:.4g}", end));
}

}  // namespace

void roll_out(const Case& c, const RunFolder& folder, operators::SurrogateEnsemble& ensemble,
              std::map<std::string, io::Metric>& summary)
{
  const Surrogate& surrogate = ensemble.members().front();
  const Rollout rollout(ensemble.members().front());
  const auto& fields = rollout.fields();
  const std::vector<Sample> states =
      TestData(c, folder, fields_without_steps(surrogate.inputs())).states(c.data.stride);
  const auto known = static_cast<std::ptrdiff_t>(rollout.history() + 1);
  const std::vector<Sample> past(states.begin(), states.begin() + known), future(states.begin() + known, states.end());
  std::vector<std::vector<Sample>> of_members;
  for (Surrogate& member : ensemble.members())
    of_members.push_back(Rollout(member).run(past, static_cast<std::int64_t>(future.size())));
  std::vector<Sample> predicted;
  for (std::size_t step = 0; step < future.size(); ++step) {
    std::vector<Sample> all;
    for (const auto& states : of_members) all.push_back(states[step]);
    predicted.push_back(operators::mean_of(all));
  }

  const auto truth = channels_of(future, fields), predictions = channels_of(predicted, fields);
  const Tensor whole = operators::errors_of(Loss::relative_l2, torch::cat(predictions, 1), torch::cat(truth, 1));
  const Tensor growth = error_growth(predictions, truth);
  const Tensor now = stack_channels(past.back(), fields);
  const Tensor persistence = error_growth(std::vector<Tensor>(truth.size(), now), truth);
  summary["rollout_relative_l2"] = whole.mean().item<double>();
  summary["rollout_relative_l2_last"] = growth[-1].item<double>();
  summary["rollout_nrmse"] = growth.mean().item<double>();
  summary["rollout_steps"] = growth.size(0);
  const Tensor together = correlations(predictions, truth);
  for (const double threshold : {0.9, 0.8})
    summary[fmt::format("correlation_time_{}", threshold)] =
        operators::correlation_time(together, surrogate.interval, threshold);

  const Tensor time = torch::arange(1, growth.size(0) + 1, torch::kFloat64) * surrogate.interval;
  io::draw_curves(folder.path / "figures" / "rollout.png",
                  {{"predicted", time, growth}, {"persistence", time, persistence}},
                  {.title = "", .x = "time", .y = "relative L2 error", .log_y = true});
  io::draw_curves(folder.path / "figures" / "correlation.png", {{"", time, together}},
                  {.title = "", .x = "time", .y = "correlation with the truth"});
  const std::int64_t member = whole.argsort()[whole.size(0) / 2].item<std::int64_t>();  // of middling error
  draw(folder.path / "figures" / fmt::format("rollout_{:04}.png", member), predictions, truth, member, fields.front(),
       future.front().field(fields.front()), surrogate.interval);
  if (io::paraview_available()) {
    io::ParaviewSeries series(folder.path / "paraview" / "rollout.pvd");
    for (std::size_t step = 0; step < future.size(); ++step) {
      Sample shown = predicted[step].members(member, 1);
      for (const std::string& field : fields) {
        shown.fields[field + "_predicted"] = shown.field(field);  // and field_std, if there are members
        shown.fields[field] = future[step].members(member, 1).field(field);
      }
      series.add(time[static_cast<std::int64_t>(step)].item<double>(), shown);
    }
  }
  folder.log->info(
      "rolled out over {} steps of {:.4g}: relative L2 error {:.4f} over all, {:.4f} at the end, {:.4f} if nothing "
      "changed; correlation with the truth {}",
      growth.size(0), surrogate.interval, whole.mean().item<double>(), growth[-1].item<double>(),
      persistence[-1].item<double>(),
      together.min().item<double>() < 0.8
          ? fmt::format("below 0.8 at time {:.4g}", operators::correlation_time(together, surrogate.interval, 0.8))
          : fmt::format("{:.3f} at the end", together[-1].item<double>()));
}

double seconds_of_reference(const Case& c, double duration)
{
  const auto reference = solvers::make_reference_solver(*c.evolving(), c.stepping, {}, c.petsc);
  Sample state = c.equation->draw(c.equation->grid(c.generate.cells), /*seed=*/0, /*first=*/0, /*count=*/1);
  if (c.trajectory.spin_up > 0) state = reference->advance(state, c.trajectory.spin_up);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i <= c.evaluate.timed; ++i) {  // the first makes the solver's tables
    const auto start = std::chrono::steady_clock::now();
    state = reference->advance(state, duration);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

}  // namespace locum::cli
