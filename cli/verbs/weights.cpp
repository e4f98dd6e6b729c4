#include <locum/core/error.hpp>
#include <locum/io/checkpoints/arrays.hpp>
#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/io/checkpoints/safetensors.hpp>
#include <locum/operators/neuraloperator.hpp>

#include <fmt/format.h>

#include "verbs.hpp"

namespace locum::cli {

namespace fs = std::filesystem;
using operators::Surrogate;

static bool is_safetensors(const fs::path& file) { return file.extension() == ".safetensors"; }

void import_weights(const ImportRequest& request)
{
  const auto from = io::parse_location(request.from);
  const auto weights = is_safetensors(from.file) ? io::read_safetensors(from.file).tensors : io::read_arrays(from);
  const Surrogate surrogate = operators::from_neuraloperator(
      weights, {.grid_embedding = !request.without_grid, .type = request.float64 ? torch::kFloat64 : torch::kFloat32});
  io::Checkpoint checkpoint;
  surrogate.save(checkpoint);
  checkpoint.write(request.output);
  fmt::print("{}: {} parameters, {} inputs, {} outputs\n{}", request.output.string(), surrogate.parameters(),
             surrogate.inputs().size(), surrogate.outputs().size(), surrogate.options());
}

void export_weights(const fs::path& model, const fs::path& output)
{
  Surrogate surrogate = Surrogate::load(model);
  io::Safetensors content{.tensors = {}, .metadata = {{"format", "pt"}, {"locum_model", surrogate.options()}}};
  for (const auto& item : surrogate.model().named_parameters()) content.tensors[item.key()] = item.value().detach();
  io::write_safetensors(output, content);
  fmt::print("{}: {} tensors, {} parameters\n", output.string(), content.tensors.size(), surrogate.parameters());
}

void apply(const ApplyRequest& request)
{
  Surrogate surrogate = Surrogate::load(request.model);
  const auto from = io::parse_location(request.input);
  const torch::Tensor inputs = io::read_array(from);
  const auto channels = static_cast<std::int64_t>(surrogate.inputs().size());
  if (inputs.dim() < 3 || inputs.size(1) != channels)
    throw ShapeError({.doing = "applying " + surrogate.description(),
                      .where = request.input,
                      .found = "shape " + to_string(inputs.sizes()),
                      .expected = fmt::format("[sample, {}, (z, y,) x]: {} input channel{}", channels, channels,
                                              channels == 1 ? "" : "s"),
                      .advice = "`locum info` tells the channels of the model"});
  const torch::Tensor outputs = surrogate.predict(inputs);
  io::write_array(request.output, "output", outputs);
  fmt::print("{}:/output {}\n", request.output.string(), to_string(outputs.sizes()));
}

}  // namespace locum::cli
