#include "trainer.hpp"

#include <locum/core/agree.hpp>
#include <locum/core/error.hpp>
#include <locum/core/progress.hpp>
#include <locum/io/logs/metrics.hpp>
#include <locum/io/logs/tensorboard.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>

#include "gradient_sum.hpp"
#include "mixed_precision.hpp"
#include "recompute.hpp"
#include "state.hpp"
#include "unrolling.hpp"

namespace locum::operators {

torch::Device find_device(Device device)
{
  const bool there = torch::cuda::is_available();
  if (device == Device::cuda && !there)
    throw OptionError({.doing = "choosing the device",
                       .where = "training.device",
                       .found = "no CUDA device or a libtorch without CUDA",
                       .expected = "a GPU, as device = \"cuda\" asks",
                       .advice = "device = \"auto\""});
  return device != Device::cpu && there ? torch::kCUDA : torch::kCPU;
}

double CurriculumOptions::modes_in(std::int64_t epoch) const
{
  if (epoch >= growth) return 1;
  return modes_from + (1 - modes_from) * static_cast<double>(epoch) / static_cast<double>(growth);
}

std::int64_t CurriculumOptions::coarseness_in(std::int64_t epoch) const
{
  if (epoch >= growth) return 1;
  std::int64_t stages = 1;
  for (std::int64_t n = coarse_from; n > 1; n /= 2) ++stages;
  return std::max<std::int64_t>(1, coarse_from >> (epoch * stages / growth));
}

namespace {

/// The normalisers of a source's samples, from one pass; kept in `file` if the source has a fingerprint.
void fit_normalisers(Surrogate& surrogate, const Unrolling& unrolling, io::BatchSource& samples,
                     const TrainingOptions& options, const TrainingRun& run)
{
  const std::filesystem::path file = run.folder / "statistics.h5";
  const std::string content = samples.fingerprint();
  const std::string key = fmt::format("{}; {}, {}, {}, missing {}, {}", content, name_of(options.input_normaliser),
                                      name_of(options.output_normaliser), name_of(options.normalise_over),
                                      surrogate.missing, name_of(options.predict));
  const auto state = [](const io::Checkpoint& kept, const std::string& group) {
    std::map<std::string, Tensor> tensors;
    for (const std::string& name : kept.names(group)) tensors[name] = kept.tensor(group + "/" + name);
    return tensors;
  };
  bool known = false;
  agree(run.ranks, [&] {
    if (content.empty() || !std::filesystem::exists(file)) return;
    const auto kept = io::Checkpoint::read(file);
    known = kept.text("samples") == key;
    if (!known) return;
    surrogate.input_normaliser = Normaliser::from_state(state(kept, "inputs"));
    surrogate.output_normaliser = Normaliser::from_state(state(kept, "outputs"));
  });
  if (known) return;
  Statistics inputs(options.input_normaliser, options.normalise_over, surrogate.missing);
  Statistics outputs(options.output_normaliser, options.normalise_over, surrogate.missing);
  // Tensors in memory are one batch; pieces of a stream are large enough that their number does not matter.
  constexpr std::int64_t streamed = 256;
  agree(run.ranks, [&] {
    samples.start(content.empty() ? std::max<std::int64_t>(1, samples.size()) : streamed);
    while (const auto some = samples.next()) {
      const Tensor truth = unrolling.truth(some->outputs, 0);
      inputs.add(some->inputs);
      outputs.add(surrogate.changes ? truth - surrogate.now(some->inputs) : truth);
    }
  });
  inputs.combine(run.ranks);
  outputs.combine(run.ranks);
  surrogate.input_normaliser = inputs.normaliser();
  surrogate.output_normaliser = outputs.normaliser();
  if (content.empty()) return;
  agree(run.ranks, [&] {
    if (!run.ranks.is_root()) return;
    io::Checkpoint kept;
    kept.put("samples", key);
    for (const auto& [name, tensor] : surrogate.input_normaliser.state()) kept.put("inputs/" + name, tensor);
    for (const auto& [name, tensor] : surrogate.output_normaliser.state()) kept.put("outputs/" + name, tensor);
    kept.write(file);
    run.log->info("statistics of the training samples: {}", file.string());
  });
}

/// The loss of a batch as the options say: predictions, one step or several, against the truth.
class Objective {
 public:
  Objective(Surrogate& surrogate, Unrolling& unrolling, const TrainingOptions& options, const TrainingRun& run)
      : surrogate_(surrogate), unrolling_(unrolling), options_(options), run_(run), weights_(run.weights)
  {
  }

  bool physical() const { return options_.loss.space == LossSpace::physical; }

  /// What sum_of() reads, of samples in the units of the data.
  io::Batch prepare(const io::Batch& raw) const
  {
    const Tensor outputs = raw.outputs.to(surrogate_.device(), surrogate_.type());
    io::Batch ready{.inputs = surrogate_.encode(raw.inputs), .outputs = outputs, .first = raw.first};
    if (!physical()) {
      const Tensor truth = unrolling_.truth(outputs, 0);
      ready.outputs = surrogate_.output_normaliser.encode(
          surrogate_.changes ? truth - surrogate_.now(raw.inputs.to(truth.options())) : truth);
    }
    return ready;
  }

  /// Of the grid's points, each so many-th along each axis is compared from now on.
  void set_coarseness(std::int64_t coarseness)
  {
    coarseness_ = coarseness;
    weights_ = coarsened(run_.weights, 0);
  }

  /// The sum of the samples' losses: a float64 number to differentiate.
  /// @param steps  to predict one from another
  /// @param pass   of the samples: what noise hangs on
  Tensor sum_of(const io::Batch& whole, std::int64_t steps, std::int64_t pass) const
  {
    const io::Batch batch{
        .inputs = coarsened(whole.inputs, 2), .outputs = coarsened(whole.outputs, 2), .first = whole.first};
    Tensor encoded = batch.inputs;
    if (options_.rollout.noise > 0) encoded = encoded + noise(batch, pass);
    const bool all = options_.rollout.gradient == RolloutGradient::all;
    Tensor sum = torch::zeros({}, torch::TensorOptions(torch::kFloat64).device(encoded.device()));
    for (std::int64_t k = 0; k < steps; ++k) {
      const bool last = k + 1 == steps;
      const torch::AutoGradMode gradients(all || last);
      const Tensor output = forward(encoded);
      const bool needs_inputs = surrogate_.changes || steps > 1 || run_.residual;
      const Tensor inputs = needs_inputs && physical() ? surrogate_.input_normaliser.decode(encoded) : Tensor();
      Tensor prediction = physical() ? surrogate_.decode(output, inputs) : output;
      if (all || last) {
        Tensor truth = physical() ? unrolling_.truth(batch.outputs, k) : batch.outputs;
        Tensor compared = prediction;
        if (surrogate_.missing) leave_out_missing(compared, truth);
        sum = sum + errors_of(options_.loss, compared, truth, weights_).sum() / static_cast<double>(all ? steps : 1);
        if (run_.residual)
          sum = sum + run_.residual(inputs, prediction).sum() *
                          (options_.loss.residual / static_cast<double>(all ? steps : 1));
      }
      if (!last) encoded = surrogate_.encode(unrolling_.next_inputs(inputs, prediction));
    }
    return sum;
  }

 private:
  /// @param first  the first axis of the grid
  Tensor coarsened(const Tensor& values, std::int64_t first) const
  {
    if (coarseness_ == 1 || !values.defined()) return values;
    Tensor some = values;
    for (std::int64_t axis = first; axis < values.dim(); ++axis)
      if (values.size(axis) > 1) some = some.slice(axis, c10::nullopt, c10::nullopt, coarseness_);
    return some.contiguous();
  }

  Tensor forward(const Tensor& encoded) const
  {
    const bool mixed = options_.precision == Precision::bfloat16;
    if (options_.recompute) return forward_and_recompute(surrogate_.model(), encoded, mixed).to(encoded.scalar_type());
    const MixedPrecision precision(encoded.device(), mixed);
    return surrogate_.model().forward(encoded).to(encoded.scalar_type());
  }

  Tensor noise(const io::Batch& batch, std::int64_t pass) const
  {
    std::vector<Tensor> samples;
    for (std::int64_t i = 0; i < batch.inputs.size(0); ++i) {
      const auto index = static_cast<std::uint64_t>(pass) << 40 | static_cast<std::uint64_t>(batch.first + i);
      samples.push_back(RandomStream(static_cast<std::uint64_t>(options_.seed), "noise of inputs", index)
                            .normal(batch.inputs.sizes().slice(1)));
    }
    return torch::stack(samples).to(batch.inputs.options()) * options_.rollout.noise;
  }

  Surrogate& surrogate_;
  Unrolling& unrolling_;
  const TrainingOptions& options_;
  const TrainingRun& run_;
  std::int64_t coarseness_ = 1;
  Tensor weights_;  // of the points
};

/// Mean relative L2 error of one step over all validation samples.
double validation_error(Surrogate& surrogate, const Unrolling& unrolling, io::BatchSource& validation,
                        std::int64_t batch, const Communicator& ranks)
{
  torch::NoGradGuard no_gradients;
  surrogate.model().eval();
  std::array<double, 2> sums = {0, 0};  // of errors, of samples
  std::vector<Tensor> errors;
  agree(ranks, [&] {
    validation.start(batch);
    while (const auto some = validation.next()) {
      if (some->inputs.size(0) == 0) continue;
      const Tensor output = surrogate.model().forward(surrogate.encode(some->inputs));
      Tensor prediction = surrogate.decode(output, some->inputs.to(output.options())).cpu();
      Tensor truth = unrolling.truth(some->outputs, 0);
      if (surrogate.missing) leave_out_missing(prediction, truth);
      errors.push_back(errors_of(Loss::relative_l2, prediction, truth));
    }
  });
  if (!errors.empty()) {
    const Tensor all = torch::cat(errors);
    sums = {all.sum().item<double>(), static_cast<double>(all.size(0))};
    if (ranks.size() == 1) return all.mean().item<double>();
  }
  sum_over(ranks, sums);
  return sums[0] / sums[1];
}

/// Steps of the roll-out in an epoch: one more after each part of its growth.
std::int64_t steps_in(const RolloutOptions& options, std::int64_t epoch)
{
  if (epoch >= options.growth) return options.steps;
  return 1 + epoch * (options.steps - 1) / options.growth;
}

/// Coarse grids have neither statistics of their points nor the equation's residual.
void refuse_coarse(const TrainingOptions& options, const TrainingRun& run)
{
  const bool by_point = options.normalise_over == NormaliseOver::point;
  if (options.curriculum.coarse_from == 1 || !(by_point || run.residual)) return;
  throw OptionError({.doing = "training on coarse grids at first",
                     .where = "training.coarse_from",
                     .found = by_point ? "normalise_over = \"point\"" : "residual, the equation's on the whole grid",
                     .expected = "statistics and losses that hold on any grid",
                     .advice = by_point ? "normalise_over = \"channel\"" : "residual = 0.0"});
}

void refuse_too_many_ranks(const io::BatchSource& training, const TrainingOptions& options, const Communicator& ranks)
{
  const auto least = std::min(options.batch, training.size());
  if (ranks.size() <= least) return;
  throw OptionError({.doing = "training on several ranks",
                     .where = "mpiexec",
                     .found = fmt::format("{} ranks", ranks.size()),
                     .expected = fmt::format("at most {}: one sample of a batch each", least),
                     .advice = "fewer ranks with more threads each, or a larger training.batch"});
}

}  // namespace

TrainingResult train(Surrogate& surrogate, const io::Batch& training, const io::Batch& validation,
                     const TrainingOptions& options, const TrainingRun& run)
{
  io::MemoryBatches training_batches(training, run.ranks), validation_batches(validation, run.ranks);
  return train(surrogate, training_batches, validation_batches, options, run);
}

TrainingResult train(Surrogate& surrogate, io::BatchSource& training, io::BatchSource& validation,
                     const TrainingOptions& options, const TrainingRun& run)
{
  using Clock = std::chrono::steady_clock;
  const Communicator& ranks = run.ranks;
  refuse_too_many_ranks(training, options, ranks);
  refuse_coarse(options, run);
  surrogate.changes = options.predict == Predict::change;
  Unrolling unrolling(surrogate, run.targets.empty() ? surrogate.outputs() : run.targets, options.rollout.steps);
  const auto device = find_device(options.device);
  const bool normalised_already =
      !surrogate.input_normaliser.state().empty() || !surrogate.output_normaliser.state().empty();
  if (!normalised_already) fit_normalisers(surrogate, unrolling, training, options, run);
  surrogate.to(device);
  Operator& model = surrogate.model();
  Objective objective(surrogate, unrolling, options, run);
  training.prepare([&](const io::Batch& raw) { return objective.prepare(raw); });

  // What is not used yet is 0, so that files hold the same function with all of it.
  const bool grows = options.curriculum.modes_from < 1;
  if (grows) model.keep_modes(options.curriculum.modes_in(0), /*clear=*/true);
  Parameters parameters(model, options.parameters);
  const bool steps_by_part = options.optimiser.optimiser != OptimiserKind::lbfgs;  // whose steps need whole vectors
  GradientSum gradients(parameters, ranks, steps_by_part);
  const auto optimiser = make_optimiser(options.optimiser, parameters);
  TrainingState state(surrogate, parameters, *optimiser);
  if (options.average > 0) state.average = parameters.values.clone();
  const auto last = run.folder / "checkpoint.h5", best = run.folder / "best.h5";
  const std::int64_t epochs = run.pause_after > 0 ? std::min(run.pause_after, options.epochs) : options.epochs;
  const std::int64_t samples = training.size(), steps = (samples + options.batch - 1) / options.batch;
  agree(ranks, [&] {
    if (!std::filesystem::exists(last)) return;
    const auto differences =
        refuse_other_training(last, io::Checkpoint::read(last).text("training/settings"), run.settings);
    if (!differences.empty())
      run.log->warn("resuming with {}: not the bits of a run that had it from the start", differences);
    state.load(last);
    if (state.epoch >= epochs) run.log->info("trained already: {} epochs", state.epoch);
    else if (state.step > 0)
      run.log->info("resuming training after epoch {} of {} and {} steps of {}", state.epoch, options.epochs,
                    state.step, steps);
    else run.log->info("resuming training after epoch {} of {}", state.epoch, options.epochs);
  });

  auto last_saved = Clock::now();
  const auto save = [&](const std::filesystem::path& file, bool whole) {
    if (whole)
      for (const auto& [name, vector] : optimiser->state) gradients.bring_to_root(vector);
    agree(ranks, [&] {
      if (!ranks.is_root()) return;
      if (whole) state.save(file, run.settings);
      else state.save_surrogate(file, run.settings);
    });
    last_saved = Clock::now();
  };
  const auto require_finite = [&](double loss) {
    if (std::isfinite(loss)) return;
    throw SolverError(
        {.doing = "training",
         .where = fmt::format("epoch {}", state.epoch + 1),
         .found = fmt::format("loss {}", loss),
         .expected = "a finite number",
         .advice = fmt::format("training.rate = {:g}, or training.clip = 1.0", options.schedule.rate / 5)});
  };

  std::optional<io::MetricsLog> metrics;
  std::optional<io::TensorBoardLog> board;
  agree(ranks, [&] {
    if (!ranks.is_root()) return;
    metrics.emplace(run.folder / "metrics.jsonl");
    board.emplace(run.folder);
  });
  Progress progress(run.log, "training", options.epochs * steps, "steps", ranks.is_root());
  const auto rest = [&] { return options.patience > 0 && state.epochs_since_best >= options.patience; };
  bool stopped = false;

  while (state.epoch < epochs && !rest() && !stopped) {
    const auto start = Clock::now();
    const std::int64_t rollout = steps_in(options.rollout, state.epoch);
    if (grows) model.keep_modes(options.curriculum.modes_in(state.epoch), /*clear=*/false);
    objective.set_coarseness(options.curriculum.coarseness_in(state.epoch));
    double rate = 0;
    Tensor total = torch::full({}, state.loss, torch::TensorOptions(torch::kFloat64).device(device));
    model.train();
    training.start(
        options.batch,
        io::Shuffle{.seed = static_cast<std::uint64_t>(options.seed), .epoch = static_cast<std::uint64_t>(state.epoch)},
        state.step);
    for (;;) {
      std::optional<io::Batch> batch;
      agree(ranks, [&] { batch = training.next(); });
      if (!batch) break;
      const std::int64_t own = batch->inputs.size(0);
      const bool late =
          options.checkpoint_minutes > 0 &&
          Clock::now() - last_saved > std::chrono::duration<double, std::ratio<60>>(options.checkpoint_minutes);
      // Of all ranks: samples, and whether some rank was told to stop or finds a checkpoint due.
      std::array<double, 3> of_all = {static_cast<double>(own), run.stop && run.stop() ? 1.0 : 0.0, late ? 1.0 : 0.0};
      sum_over(ranks, of_all);
      const double count = of_all[0];
      Tensor loss;  // mean over all samples of the batch, before the step
      const auto evaluate = [&] {
        parameters.forget_gradients();
        Tensor mean = torch::zeros_like(total);
        const std::int64_t parts = std::max<std::int64_t>(1, std::min(options.accumulate, own));
        for (std::int64_t part = 0; part < parts && own > 0; ++part) {
          const auto share = io::share_of(own, static_cast<int>(part), static_cast<int>(parts));
          const io::Batch some{.inputs = batch->inputs.narrow(0, share.first, share.count),
                               .outputs = batch->outputs.narrow(0, share.first, share.count),
                               .first = batch->first + share.first};
          const Tensor of_part = objective.sum_of(some, rollout, state.epoch) / count;
          if (part + 1 == parts) gradients.begin();
          of_part.backward();
          mean += of_part.detach();
        }
        gradients.finish();
        if (ranks.size() > 1) {
          std::array<double, 1> sum = {mean.item<double>()};
          sum_over(ranks, sum);
          mean.fill_(sum[0]);
        }
        if (options.clip > 0) {
          torch::NoGradGuard no_gradients;
          parameters.gradients.mul_(std::min(1.0, options.clip / gradients.norm()));
        }
        if (!loss.defined()) loss = mean;
        return mean;
      };
      // Halfway through the step: neither the first nor the last rate is zero.
      rate = learning_rate(
          options.schedule,
          static_cast<double>(state.epoch) + (static_cast<double>(state.step) + 0.5) / static_cast<double>(steps),
          options.epochs, state.reductions);
      optimiser->step(rate, evaluate);
      gradients.exchange(parameters.values);
      torch::NoGradGuard no_gradients;
      if (state.average.defined()) state.average.lerp_(parameters.values, 1 - options.average);
      total += loss * count;
      state.samples += count;
      ++state.step;
      stopped = of_all[1] > 0;
      progress.update(state.epoch * steps + state.step, fmt::format("epoch {}", state.epoch + 1));

      const bool counted = options.checkpoint_steps > 0 && state.step % options.checkpoint_steps == 0;
      if (stopped || counted || of_all[2] > 0) {
        state.loss = total.item<double>();
        require_finite(state.loss);
        training.settle();
        save(last, /*whole=*/true);
      }
      if (stopped) break;
    }
    if (stopped) break;
    if (state.step == 0)
      throw OptionError({.doing = "training on several ranks",
                         .where = "mpiexec",
                         .found = fmt::format("{} ranks, of which one has no samples", ranks.size()),
                         .expected = "a block of the file for each",
                         .advice = "fewer ranks, or less data.memory: smaller blocks"});
    const double training_loss = total.item<double>() / state.samples;
    require_finite(training_loss);

    torch::NoGradGuard no_gradients;
    const bool validates = validation.size() > 0;
    state.exchange_average();
    const double error = validates ? validation_error(surrogate, unrolling, validation, options.batch, ranks)
                                   : std::numeric_limits<double>::quiet_NaN();
    state.exchange_average();
    ++state.epoch;
    state.step = 0;
    state.loss = state.samples = 0;
    const bool is_best = !validates || error < state.best_validation;
    state.epochs_since_best = is_best ? 0 : state.epochs_since_best + 1;
    state.epochs_waited = is_best ? 0 : state.epochs_waited + 1;
    if (options.schedule.schedule == Schedule::plateau && state.epochs_waited >= options.schedule.step_epochs) {
      ++state.reductions;
      state.epochs_waited = 0;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (is_best) state.best_validation = error;
    agree(ranks, [&] {
      if (!ranks.is_root()) return;
      metrics->append({{"epoch", state.epoch},
                       {"training_loss", training_loss},
                       {"validation_relative_l2", error},
                       {"rate", rate},
                       {"seconds", seconds}});
      board->append(state.epoch, {{"loss/training", training_loss},
                                  {"loss/validation_relative_l2", error},
                                  {"rate", rate},
                                  {"seconds", seconds}});
    });
    if (validates && is_best) save(best, /*whole=*/false);
    save(last, /*whole=*/true);
    const auto verdict = validates ? fmt::format("  validation {:.4f}{}", error, is_best ? " best" : "") : "";
    run.log->info("epoch {:4}/{}  loss {:.4f}{}  {:.2f} s", state.epoch, options.epochs, training_loss, verdict,
                  seconds);
  }

  if (stopped) {
    run.log->info("told to stop after epoch {} and {} steps of {}: the same command goes on from {}", state.epoch,
                  state.step, steps, last.string());
    return {.epochs = state.epoch, .best_validation = state.best_validation, .complete = false};
  }
  if (validation.size() == 0) save(best, /*whole=*/false);  // the last weights
  if (grows) model.keep_modes(1, /*clear=*/false);
  if (rest()) run.log->info("no better validation for {} epochs: training ends", options.patience);
  agree(ranks, [&] { copy_weights(model, Surrogate::load(best).model()); });
  return {.epochs = state.epoch, .best_validation = state.best_validation};
}

}  // namespace locum::operators
