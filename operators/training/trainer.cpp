#include "trainer.hpp"

#include <locum/core/error.hpp>
#include <locum/core/progress.hpp>
#include <locum/io/metrics.hpp>

#include <chrono>
#include <limits>

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

namespace {

/// The part of a training that changes: what a checkpoint stores beside the surrogate.
class TrainingState {
 public:
  TrainingState(Surrogate& surrogate, Adam& adam) : surrogate_(surrogate), adam_(adam) {}

  std::int64_t epoch = 0;  // finished
  double best_validation = std::numeric_limits<double>::infinity();

  void save(const std::filesystem::path& file, const std::string& settings) const
  {
    io::Checkpoint checkpoint;
    surrogate_.save(checkpoint);
    checkpoint.put("training/settings", settings);
    checkpoint.put("training/epoch", epoch);
    checkpoint.put("training/best_validation", best_validation);
    const auto& state = adam_.state();
    checkpoint.put("training/optimiser/steps", state.steps);
    for (std::size_t i = 0; i < state.first_moment.size(); ++i) {
      checkpoint.put(fmt::format("training/optimiser/first_moment/{}", i), state.first_moment[i]);
      checkpoint.put(fmt::format("training/optimiser/second_moment/{}", i), state.second_moment[i]);
    }
    checkpoint.write(file);
  }

  void load(const std::filesystem::path& file, const std::string& settings)
  {
    const auto checkpoint = io::Checkpoint::read(file);
    refuse_other_options("resuming training", file.string(), checkpoint.text("training/settings"), settings);
    copy_weights(surrogate_.model(), Surrogate::load(checkpoint, file.string()).model());
    epoch = checkpoint.integer("training/epoch");
    best_validation = checkpoint.real("training/best_validation");
    auto& state = adam_.state();
    state.steps = checkpoint.integer("training/optimiser/steps");
    for (std::size_t i = 0; i < state.first_moment.size(); ++i) {
      state.first_moment[i].copy_(checkpoint.tensor(fmt::format("training/optimiser/first_moment/{}", i)));
      state.second_moment[i].copy_(checkpoint.tensor(fmt::format("training/optimiser/second_moment/{}", i)));
    }
  }

  static void copy_weights(Operator& to, Operator& from)
  {
    torch::NoGradGuard no_gradients;
    const auto source = from.named_parameters();
    for (auto& item : to.named_parameters()) item.value().copy_(source[item.key()]);
  }

 private:
  Surrogate& surrogate_;
  Adam& adam_;
};

}  // namespace

TrainingResult train(Surrogate& surrogate, const TrainingSet& training, const TrainingSet& validation,
                     const TrainingOptions& options, const std::filesystem::path& folder, const std::string& settings,
                     const Log& log)
{
  const auto device = find_device(options.device);
  surrogate.input_normaliser = Normaliser::fit(options.input_normaliser, options.normalise_over, training.inputs);
  surrogate.output_normaliser = Normaliser::fit(options.output_normaliser, options.normalise_over, training.outputs);
  surrogate.to(device);
  Operator& model = surrogate.model();
  const auto& decode = surrogate.output_normaliser;

  const auto encoded = [&](const Normaliser& normaliser, const Tensor& values) {
    return normaliser.encode(values.to(device, surrogate.type()));
  };
  const bool physical = options.loss_space == LossSpace::physical;
  const Tensor inputs = encoded(surrogate.input_normaliser, training.inputs);
  const Tensor targets =
      physical ? training.outputs.to(device, surrogate.type()) : encoded(surrogate.output_normaliser, training.outputs);
  const Tensor validation_inputs = encoded(surrogate.input_normaliser, validation.inputs);

  const bool validates = validation.inputs.size(0) > 0;
  const auto validation_error = [&] {
    torch::NoGradGuard no_gradients;
    model.eval();
    std::vector<Tensor> predictions;
    for (const Tensor& some : validation_inputs.split(options.batch))
      predictions.push_back(decode.decode(model.forward(some)).cpu());
    return loss_of(Loss::relative_l2, torch::cat(predictions), validation.outputs).item<double>();
  };

  Adam adam(model.parameters(),
            options.optimiser == Optimiser::adam ? Adam::WeightDecay::coupled : Adam::WeightDecay::decoupled,
            options.weight_decay);
  TrainingState state(surrogate, adam);
  const auto last = folder / "checkpoint.h5", best = folder / "best.h5";
  if (std::filesystem::exists(last)) {
    state.load(last, settings);
    if (state.epoch < options.epochs) log->info("resuming training after epoch {} of {}", state.epoch, options.epochs);
    else log->info("trained already: {} epochs", state.epoch);
  }

  const std::int64_t samples = inputs.size(0);
  const std::int64_t steps = (samples + options.batch - 1) / options.batch;
  io::MetricsLog metrics(folder / "metrics.jsonl");
  Progress progress(log, "training", options.epochs * steps, "steps");

  while (state.epoch < options.epochs) {
    const auto start = std::chrono::steady_clock::now();
    const Tensor order = RandomStream(static_cast<std::uint64_t>(options.seed), "order of samples",
                                      static_cast<std::uint64_t>(state.epoch))
                             .permutation(samples)
                             .to(device);
    Tensor total = torch::zeros({}, torch::TensorOptions(torch::kFloat64).device(device));
    double rate = 0;
    model.train();
    for (std::int64_t step = 0; step < steps; ++step) {
      const std::int64_t first = step * options.batch;
      const Tensor chosen = order.narrow(0, first, std::min(options.batch, samples - first));
      const Tensor output = model.forward(inputs.index_select(0, chosen));
      const Tensor loss = loss_of(options.loss, physical ? decode.decode(output) : output,
                                  targets.index_select(0, chosen), options.loss_edges);
      adam.zero_gradients();
      loss.backward();
      // Halfway through the step: neither the first nor the last rate is zero.
      rate = learning_rate(
          options.schedule,
          static_cast<double>(state.epoch) + (static_cast<double>(step) + 0.5) / static_cast<double>(steps),
          options.epochs);
      adam.step(rate);
      total += loss.detach().to(torch::kFloat64) * chosen.size(0);
      progress.update(state.epoch * steps + step + 1, fmt::format("epoch {}", state.epoch + 1));
    }
    const double training_loss = total.item<double>() / static_cast<double>(samples);
    if (!std::isfinite(training_loss))
      throw SolverError({.doing = "training",
                         .where = fmt::format("epoch {}", state.epoch + 1),
                         .found = fmt::format("loss {}", training_loss),
                         .expected = "a finite number",
                         .advice = fmt::format("training.rate = {:g}", options.schedule.rate / 5)});

    const double error = validates ? validation_error() : std::numeric_limits<double>::quiet_NaN();
    ++state.epoch;
    const bool is_best = !validates || error < state.best_validation;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    metrics.append({{"epoch", state.epoch},
                    {"training_loss", training_loss},
                    {"validation_relative_l2", error},
                    {"rate", rate},
                    {"seconds", seconds}});
    if (is_best) {
      state.best_validation = error;
      state.save(best, settings);
    }
    state.save(last, settings);
    const auto verdict = validates ? fmt::format("  validation {:.4f}{}", error, is_best ? " best" : "") : "";
    log->info("epoch {:4}/{}  loss {:.4f}{}  {:.2f} s", state.epoch, options.epochs, training_loss, verdict, seconds);
  }

  TrainingState::copy_weights(model, Surrogate::load(best).model());
  return {.epochs = state.epoch, .best_validation = state.best_validation};
}

}  // namespace locum::operators
