#pragma once
#include <torch/torch.h>

#include <cstdint>

namespace locum {

/// Points that fill the unit cube evenly: the first `count` of Sobol's sequence (Joe & Kuo 2008, as libtorch has their
/// direction numbers), shifted digit by digit as `seed` says. Of any 2^m points in a row from the first on, each of
/// the 2^m equal slices of an axis has one.
/// @return  [count, dimensions], float64, from 0 to below 1; more points begin with the same ones
torch::Tensor sobol_points(std::int64_t count, std::int64_t dimensions, std::uint64_t seed);

}  // namespace locum
