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

/// The normalisers of a source's samples, from one pass; kept in `file` if the source has a fingerprint.
void fit_normalisers(Surrogate& surrogate, io::BatchSource& samples, const TrainingOptions& options,
                     const std::filesystem::path& file, const Log& log)
{
  const std::string content = samples.fingerprint();
  const std::string key =
      fmt::format("{}; {}, {}, {}, missing {}", content, name_of(options.input_normaliser),
                  name_of(options.output_normaliser), name_of(options.normalise_over), surrogate.missing);
  const auto state = [](const io::Checkpoint& kept, const std::string& group) {
    std::map<std::string, Tensor> tensors;
    for (const std::string& name : kept.names(group)) tensors[name] = kept.tensor(group + "/" + name);
    return tensors;
  };
  if (!content.empty() && std::filesystem::exists(file)) {
    const auto kept = io::Checkpoint::read(file);
    if (kept.text("samples") == key) {
      surrogate.input_normaliser = Normaliser::from_state(state(kept, "inputs"));
      surrogate.output_normaliser = Normaliser::from_state(state(kept, "outputs"));
      return;
    }
  }
  Statistics inputs(options.input_normaliser, options.normalise_over, surrogate.missing);
  Statistics outputs(options.output_normaliser, options.normalise_over, surrogate.missing);
  // Tensors in memory are one batch; pieces of a stream are large enough that their number does not matter.
  constexpr std::int64_t streamed = 256;
  samples.start(content.empty() ? std::max<std::int64_t>(1, samples.size()) : streamed);
  while (const auto some = samples.next()) {
    inputs.add(some->inputs);
    outputs.add(some->outputs);
  }
  surrogate.input_normaliser = inputs.normaliser();
  surrogate.output_normaliser = outputs.normaliser();
  if (content.empty()) return;
  io::Checkpoint kept;
  kept.put("samples", key);
  for (const auto& [name, tensor] : surrogate.input_normaliser.state()) kept.put("inputs/" + name, tensor);
  for (const auto& [name, tensor] : surrogate.output_normaliser.state()) kept.put("outputs/" + name, tensor);
  kept.write(file);
  log->info("statistics of the training samples: {}", file.string());
}

}  // namespace

TrainingResult train(Surrogate& surrogate, const TrainingSet& training, const TrainingSet& validation,
                     const TrainingOptions& options, const std::filesystem::path& folder, const std::string& settings,
                     const Log& log)
{
  io::MemoryBatches training_batches(training), validation_batches(validation);
  return train(surrogate, training_batches, validation_batches, options, folder, settings, log);
}

TrainingResult train(Surrogate& surrogate, io::BatchSource& training, io::BatchSource& validation,
                     const TrainingOptions& options, const std::filesystem::path& folder, const std::string& settings,
                     const Log& log)
{
  const auto device = find_device(options.device);
  fit_normalisers(surrogate, training, options, folder / "statistics.h5", log);
  surrogate.to(device);
  Operator& model = surrogate.model();
  const auto& decode = surrogate.output_normaliser;
  const bool physical = options.loss_space == LossSpace::physical;
  training.prepare([&](const io::Batch& raw) {
    const Tensor outputs = raw.outputs.to(device, surrogate.type());
    return io::Batch{.inputs = surrogate.encode(raw.inputs), .outputs = physical ? outputs : decode.encode(outputs)};
  });
  validation.prepare(
      [&](const io::Batch& raw) { return io::Batch{.inputs = surrogate.encode(raw.inputs), .outputs = raw.outputs}; });

  const bool validates = validation.size() > 0;
  const auto validation_error = [&] {
    torch::NoGradGuard no_gradients;
    model.eval();
    std::vector<Tensor> errors;
    validation.start(options.batch);
    while (const auto some = validation.next()) {
      auto [prediction, truth] = std::pair{decode.decode(model.forward(some->inputs)).cpu(), some->outputs};
      if (surrogate.missing) leave_out_missing(prediction, truth);
      errors.push_back(errors_of(Loss::relative_l2, prediction, truth));
    }
    return torch::cat(errors).mean().item<double>();
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

  const std::int64_t samples = training.size();
  const std::int64_t steps = (samples + options.batch - 1) / options.batch;
  io::MetricsLog metrics(folder / "metrics.jsonl");
  Progress progress(log, "training", options.epochs * steps, "steps");

  while (state.epoch < options.epochs) {
    const auto start = std::chrono::steady_clock::now();
    Tensor total = torch::zeros({}, torch::TensorOptions(torch::kFloat64).device(device));
    double rate = 0;
    model.train();
    training.start(options.batch, io::Shuffle{.seed = static_cast<std::uint64_t>(options.seed),
                                              .epoch = static_cast<std::uint64_t>(state.epoch)});
    for (std::int64_t step = 0; const auto some = training.next(); ++step) {
      const Tensor output = model.forward(some->inputs);
      auto [prediction, truth] = std::pair{physical ? decode.decode(output) : output, some->outputs};
      if (surrogate.missing) leave_out_missing(prediction, truth);
      const Tensor loss = loss_of(options.loss, prediction, truth, options.loss_edges);
      adam.zero_gradients();
      loss.backward();
      // Halfway through the step: neither the first nor the last rate is zero.
      rate = learning_rate(
          options.schedule,
          static_cast<double>(state.epoch) + (static_cast<double>(step) + 0.5) / static_cast<double>(steps),
          options.epochs);
      adam.step(rate);
      total += loss.detach().to(torch::kFloat64) * truth.size(0);
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
