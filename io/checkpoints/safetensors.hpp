#pragma once
#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

namespace locum::io {

/// Named tensors and texts in the safetensors format: a length, a JSON header of names, types, shapes and offsets, and
/// the numbers. Nothing in it is code.
struct Safetensors {
  std::map<std::string, torch::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads float32, float64, int64 as they are, float16 and bfloat16 as float32, complex64 as float32 with an axis of
/// real and imaginary part more. Every offset is held against shape, type and file before anything is allocated.
/// @throws SystemError, DataError  naming the tensor that is not as the format says, or is of another type
Safetensors read_safetensors(const std::filesystem::path& file);

/// Writes float32, float64 and int64 tensors, atomically; equal content gives equal bytes.
void write_safetensors(const std::filesystem::path& file, const Safetensors& content);

}  // namespace locum::io
