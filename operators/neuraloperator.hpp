#pragma once
#include <map>
#include <optional>
#include <string>

#include "surrogate.hpp"

namespace locum::operators {

/// What the weights alone do not tell of one of neuraloperator's models.
struct NeuraloperatorModel {
  bool grid_embedding = true;  ///< Whether it reads the position of each point (positional_embedding="grid").
  torch::Dtype type = torch::kFloat32;
};

/// A surrogate with the weights of an FNO of neuraloperator 2.0, one to three axes, with or without channel network.
/// Its options are seen in the shapes. Channels are called input[i] and output[i], without unit; nothing is normalised.
/// @param weights  its state dict: names as there, complex ones with a last axis of real and imaginary part
/// @throws DataError  naming what is missing, of another shape, or of a kind of model that is another
Surrogate from_neuraloperator(const std::map<std::string, Tensor>& weights, const NeuraloperatorModel& model);

}  // namespace locum::operators
