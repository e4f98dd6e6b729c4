#include "cycling.hpp"

#include <fmt/format.h>
#include <locum/core/agree.hpp>
#include <locum/core/options.hpp>
#include <locum/core/progress.hpp>

#include <chrono>
#include <cmath>
#include <deque>

namespace locum::assimilation {

namespace {

/// All of a run that changes.
struct State {
  std::int64_t cycle = 0;
  double time = 0;
  Matrix members;
  RowVector mean;                // of the members, as the method weighs them
  std::deque<RowVector> truths;  // at observation times before, for smoothers
  CyclingResult result;
  double explained = 0, found = 0;  // running means of what innovations should and do amount to
};

constexpr std::size_t remembered_truths = 64;

Matrix rows_of(const std::deque<RowVector>& rows)
{
  Matrix matrix(static_cast<Eigen::Index>(rows.size()), rows.empty() ? 0 : rows.front().size());
  for (std::size_t i = 0; i < rows.size(); ++i) matrix.row(static_cast<Eigen::Index>(i)) = rows[i];
  return matrix;
}

/// One matrix of rows of equal length, and back; rows that are unknown are NaN.
template <class Records, class Member>
Matrix column_of(const Records& records, Member member, Eigen::Index variables)
{
  Matrix matrix =
      Matrix::Constant(static_cast<Eigen::Index>(records.size()), variables, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < records.size(); ++i)
    if ((records[i].*member).size() > 0) matrix.row(static_cast<Eigen::Index>(i)) = records[i].*member;
  return matrix;
}

void save(const State& state, const Method& method, const ObservationSource& source, const CyclingRun& run)
{
  io::Checkpoint checkpoint;
  const Eigen::Index variables = state.members.cols();
  checkpoint.put("assimilation/settings", run.settings);
  checkpoint.put("assimilation/cycle", state.cycle);
  checkpoint.put("assimilation/time", state.time);
  checkpoint.put("assimilation/explained", state.explained);
  checkpoint.put("assimilation/found", state.found);
  checkpoint.put("assimilation/collapsed", state.result.collapsed);
  checkpoint.put("assimilation/members", as_tensor(state.members));
  checkpoint.put("assimilation/mean", as_tensor(Matrix(state.mean)).clone());
  const Matrix truths = rows_of(state.truths);
  checkpoint.put("assimilation/truths", as_tensor(truths));
  const auto& ranks = state.result.ranks;
  checkpoint.put("assimilation/ranks",
                 torch::from_blob(const_cast<double*>(ranks.data()), {ranks.size()}, torch::kFloat64));

  const auto count = static_cast<std::int64_t>(state.result.scores.size());
  Tensor scores = torch::empty({count, static_cast<std::int64_t>(Scores::names.size())}, torch::kFloat64);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto values = state.result.scores[static_cast<std::size_t>(i)].values();
    std::copy(values.begin(), values.end(), scores.data_ptr<double>() + i * scores.size(1));
  }
  checkpoint.put("assimilation/scores", scores);

  std::vector<double> times, intervals;
  for (const StoredCycle& stored : state.result.stored) times.push_back(stored.time);
  for (const StoredIncrement& stored : state.result.increments) intervals.push_back(stored.interval);
  checkpoint.put("stored/time", torch::tensor(times, torch::kFloat64));
  checkpoint.put("increments/interval", torch::tensor(intervals, torch::kFloat64));
  const auto put = [&](const std::string& name, Matrix matrix) { checkpoint.put(name, as_tensor(matrix).clone()); };
  put("stored/truth", column_of(state.result.stored, &StoredCycle::truth, variables));
  put("stored/forecast", column_of(state.result.stored, &StoredCycle::forecast, variables));
  put("stored/analysis", column_of(state.result.stored, &StoredCycle::analysis, variables));
  put("stored/spread", column_of(state.result.stored, &StoredCycle::spread, variables));
  put("increments/state", column_of(state.result.increments, &StoredIncrement::state, variables));
  put("increments/forecast", column_of(state.result.increments, &StoredIncrement::forecast, variables));
  put("increments/analysis", column_of(state.result.increments, &StoredIncrement::analysis, variables));
  method.save(checkpoint);
  source.save(checkpoint);
  checkpoint.write(run.folder / "assimilation.h5");
}

void load(State& state, Method& method, ObservationSource& source, const CyclingRun& run)
{
  const auto file = run.folder / "assimilation.h5";
  const io::Checkpoint checkpoint = io::Checkpoint::read(file);
  refuse_other_options("resuming the assimilation", file.string(), checkpoint.text("assimilation/settings"),
                       run.settings);
  state.cycle = checkpoint.integer("assimilation/cycle");
  state.time = checkpoint.real("assimilation/time");
  state.explained = checkpoint.real("assimilation/explained");
  state.found = checkpoint.real("assimilation/found");
  state.result.collapsed = checkpoint.integer("assimilation/collapsed");
  state.members = as_matrix(checkpoint.tensor("assimilation/members"));
  state.mean = as_matrix(checkpoint.tensor("assimilation/mean")).row(0);
  const Matrix truths = as_matrix(checkpoint.tensor("assimilation/truths"));
  for (Eigen::Index i = 0; i < truths.rows(); ++i) state.truths.push_back(truths.row(i));
  const Tensor ranks = checkpoint.tensor("assimilation/ranks").contiguous();
  state.result.ranks = Eigen::Map<const Eigen::ArrayXd>(ranks.data_ptr<double>(), ranks.numel());

  const Matrix scores = as_matrix(checkpoint.tensor("assimilation/scores"));
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    const auto s = scores.row(i);
    state.result.scores.push_back({s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10]});
  }
  const Tensor times = checkpoint.tensor("stored/time"), intervals = checkpoint.tensor("increments/interval");
  const auto row = [&](const Matrix& matrix, std::int64_t i) {
    return matrix.cols() > 0 && std::isnan(matrix(i, 0)) ? RowVector() : RowVector(matrix.row(i));
  };
  const auto get = [&](const std::string& name) { return as_matrix(checkpoint.tensor(name)); };
  const Matrix truth = get("stored/truth"), forecast = get("stored/forecast"), analysis = get("stored/analysis"),
               spread = get("stored/spread"), from = get("increments/state"), to = get("increments/forecast"),
               corrected = get("increments/analysis");
  for (std::int64_t i = 0; i < times.numel(); ++i)
    state.result.stored.push_back(
        {times[i].item<double>(), row(truth, i), row(forecast, i), row(analysis, i), row(spread, i)});
  for (std::int64_t i = 0; i < intervals.numel(); ++i)
    state.result.increments.push_back({intervals[i].item<double>(), row(from, i), row(to, i), row(corrected, i)});
  method.load(checkpoint);
  source.load(checkpoint);
}

/// Whether innovations have been far larger than spread and R explain, for about 50 cycles.
bool has_collapsed(State& state, const Scores& scores)
{
  if (!std::isfinite(scores.chi_squared)) return false;
  constexpr double memory = 1.0 / 50;
  state.found += memory * (scores.chi_squared - state.found);
  state.explained += memory * (1 - state.explained);
  return state.explained > 0.6 && state.found > 10 * state.explained;
}

std::map<std::string, double> means_of(const std::vector<Scores>& scores, std::int64_t burn_in)
{
  std::map<std::string, double> means;
  for (std::size_t q = 1; q < Scores::names.size(); ++q) {
    double sum = 0;
    std::int64_t count = 0;
    for (std::size_t i = static_cast<std::size_t>(burn_in); i < scores.size(); ++i) {
      const double value = scores[i].values()[q];
      if (!std::isfinite(value)) continue;
      sum += value;
      ++count;
    }
    if (count > 0) means[Scores::names[q]] = sum / static_cast<double>(count);
  }
  return means;
}

}  // namespace

CyclingResult assimilate(Method& method, ObservationSource& source, const Forecast& forecast, Matrix members,
                         double time, const CyclingOptions& options, const CyclingRun& run)
{
  const Communicator& ranks = forecast.ranks();
  const Log& log = forecast.log();
  const bool files = !run.folder.empty();
  State state;
  state.time = time;
  state.members = std::move(members);
  state.result.ranks = Eigen::ArrayXd::Zero(state.members.rows() + 1);
  agree(ranks, [&] {
    if (!files || !std::filesystem::exists(run.folder / "assimilation.h5")) return;
    load(state, method, source, run);
    if (ranks.is_root() && state.cycle > 0) log->info("goes on after cycle {}", state.cycle);
  });
  const auto store = [&] {
    agree(ranks, [&] {
      if (files && ranks.is_root()) save(state, method, source, run);
    });
  };

  Progress progress(log, "assimilating", options.cycles, "cycles", ranks.is_root());
  auto saved = std::chrono::steady_clock::now();
  std::vector<Observations> window;
  std::vector<RowVector> truths;
  if (state.mean.size() == 0) state.mean = mean_of(state.members);
  while (state.cycle < options.cycles) {
    window.clear();
    truths.clear();
    while (static_cast<std::int64_t>(window.size()) < method.window()) {
      auto seen = source.next();
      if (!seen) break;
      window.push_back(std::move(*seen));
      truths.push_back(source.truth());
    }
    if (static_cast<std::int64_t>(window.size()) < method.window()) break;

    Analysis analysis = method.cycle(state.members, state.time, window, forecast, state.cycle);
    if (!analysis.members.allFinite())
      throw SolverError({.doing = fmt::format("assimilating in cycle {}", state.cycle),
                         .where = method.description(),
                         .found = "members that are not finite after the analysis",
                         .expected = "finite ones",
                         .advice = "larger errors of observations, less inflation, or localisation"});

    RowVector smoothed_truth;
    for (const RowVector& truth : truths) {
      state.truths.push_back(truth);
      if (state.truths.size() > remembered_truths) state.truths.pop_front();
    }
    if (const auto back = static_cast<std::size_t>(analysis.smoothed_before); back > 0 && back < state.truths.size())
      smoothed_truth = state.truths[state.truths.size() - 1 - back];
    const Scores scores = score(analysis, window.back(), truths.back(), smoothed_truth);
    state.result.scores.push_back(scores);
    if (method.members() > 1 && !(scores.spread_analysis > 0))
      throw SolverError({.doing = fmt::format("assimilating in cycle {}", state.cycle),
                         .where = method.description(),
                         .found = "members that all are the same",
                         .expected = "an ensemble with spread",
                         .advice = "more members, inflation = 1.05, or a larger initial_deviation"});
    if (state.result.collapsed < 0 && has_collapsed(state, scores)) {
      state.result.collapsed = state.cycle;
      if (ranks.is_root())
        log->warn(
            "the ensemble has collapsed by cycle {}: innovations are {:.0f} times as large as spread and R explain; "
            "more members, inflation or localisation may help",
            state.cycle, std::sqrt(state.found / state.explained));
    }
    if (state.cycle >= options.burn_in && truths.back().size() > 0)
      count_ranks(analysis.members, analysis.weights, truths.back(), state.result.ranks);
    if (state.cycle >= options.cycles - options.stored) {
      if (static_cast<std::int64_t>(state.result.stored.size()) >= options.stored)
        state.result.stored.erase(state.result.stored.begin());
      state.result.stored.push_back(
          {window.back().time, truths.back(), mean_of(analysis.forecast, analysis.forecast_weights),
           mean_of(analysis.members, analysis.weights), variance_of(analysis.members, analysis.weights).cwiseSqrt()});
    }
    if (options.increments && state.cycle >= options.burn_in)
      state.result.increments.push_back({window.back().time - state.time, state.mean,
                                         mean_of(analysis.forecast, analysis.forecast_weights),
                                         mean_of(analysis.members, analysis.weights)});
    state.mean = mean_of(analysis.members, analysis.weights);
    state.members = std::move(analysis.members);
    state.time = window.back().time;
    ++state.cycle;

    progress.update(state.cycle,
                    std::isfinite(scores.rmse_analysis)
                        ? fmt::format("RMSE {:.3g}, spread {:.3g}", scores.rmse_analysis, scores.spread_analysis)
                        : fmt::format("innovation {:.3g}, chi squared {:.3g}", scores.innovation, scores.chi_squared));
    bool stop = run.stop && run.stop();
    const double minutes =
        std::chrono::duration<double, std::ratio<60>>(std::chrono::steady_clock::now() - saved).count();
    bool due = files && minutes >= options.checkpoint_minutes;
    if (ranks.size() > 1) {
      const double wanted = ranks.maximum(stop ? 2 : due ? 1 : 0);
      stop = wanted == 2;
      due = wanted >= 1;
    }
    if (due || stop) {
      store();
      saved = std::chrono::steady_clock::now();
    }
    if (stop) {
      state.result.complete = false;
      break;
    }
  }
  if (state.result.complete) store();
  state.result.means = means_of(state.result.scores, options.burn_in);
  state.result.members = state.members;
  state.result.time = state.time;
  return std::move(state.result);
}

}  // namespace locum::assimilation
