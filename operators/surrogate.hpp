#pragma once
#include <locum/core/solver.hpp>
#include <locum/io/checkpoints/checkpoint.hpp>

#include <memory>
#include <string>
#include <vector>

#include "normaliser.hpp"
#include "registry.hpp"

namespace locum::operators {

/// A learned operator with all it takes to stand in for a solver: weights, normalisers, and the fields and units its
/// channels stand for. A checkpoint holds one.
class Surrogate : public SteadySolver {
 public:
  /// An untrained surrogate.
  /// @param model  what section [model] of a case says: name and options, as TOML
  /// @param inputs, outputs  what its channels mean
  /// @param type     float32 or float64
  Surrogate(std::string model, std::vector<Channel> inputs, std::vector<Channel> outputs, RandomStream weights,
            torch::Dtype type = torch::kFloat32);

  /// Rebuilds the surrogate in a checkpoint: from the file alone.
  /// @throws DataError  if the file is damaged, or is not a surrogate's checkpoint.
  static Surrogate load(const std::filesystem::path& checkpoint);
  static Surrogate load(const io::Checkpoint& checkpoint, const std::string& where);
  void save(io::Checkpoint& checkpoint) const;

  std::string description() const override;

  /// Predicts the output fields of every member, on the grid they are given on: any grid the model resolves.
  /// @throws DataError   if a field is missing or has another unit than the surrogate was trained with.
  /// @throws ShapeError  if the model cannot take the grid.
  Sample solve(const Sample& problem) override;

  /// The same for tensors: what the inputs of every sample become, in units of the data.
  /// @param inputs  [batch, input channel, (z, y,) x]
  /// @return        [batch, output channel, (z, y,) x], on the device of the inputs
  Tensor predict(const Tensor& inputs);

  /// Moves weights and normalisers to a device.
  void to(torch::Device device);

  Operator& model() noexcept { return *model_; }
  /// Name and options of the model as TOML, defaults included.
  const std::string& options() const noexcept { return options_; }
  const std::vector<Channel>& inputs() const noexcept { return inputs_; }
  const std::vector<Channel>& outputs() const noexcept { return outputs_; }
  torch::Dtype type() const noexcept { return type_; }
  torch::Device device() const noexcept { return device_; }
  std::int64_t parameters() const;

  /// Inputs as the network sees them: normalised, of its type, on its device; missing values are the mean.
  /// @param values  [batch, channel, (z, y,) x] in units of the data
  Tensor encode(const Tensor& values) const;

  /// Fields of now that the outputs are later states of: [batch, output channel, …] of inputs [batch, channel, …].
  /// @throws OptionError  if some output's field is not among the inputs
  Tensor now(const Tensor& inputs) const;
  /// Whether now() has all it needs.
  bool knows_now() const;
  /// Predictions in units of the data from what the network gives.
  /// @param output  [batch, channel, (z, y,) x]
  /// @param inputs  what it was given, in units, on its device; read only if it predicts changes
  Tensor decode(const Tensor& output, const Tensor& inputs) const;

  Normaliser input_normaliser;
  Normaliser output_normaliser;
  /// Whether the network gives the change of its fields from now on, not their values.
  bool changes = false;
  /// Whether values that are not finite mean that there is none (land in an ocean): they are left out of training, and
  /// predictions have none where an input has none.
  bool missing = false;
  /// Time between neighbouring steps of inputs and outputs ("u", "u@+1"), in the unit of the data; 0 if they have none.
  double interval = 0;

 private:
  std::string options_;
  std::vector<Channel> inputs_, outputs_;
  torch::Dtype type_;
  torch::Device device_ = torch::kCPU;
  std::string where_ = "in memory";
  std::shared_ptr<Operator> model_;
};

/// Names of the fields the channels belong to, each once, in order.
std::vector<std::string> fields_of(const std::vector<Channel>& channels);

}  // namespace locum::operators
