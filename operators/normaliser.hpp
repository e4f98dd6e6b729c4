#pragma once
#include <torch/torch.h>
#include <locum/core/communicator.hpp>

#include <array>
#include <map>
#include <string>
#include <utility>

namespace locum::operators {

using torch::Tensor;

enum class Normalisation { none, unit_gaussian, min_max };

constexpr auto option_names(Normalisation)
{
  return std::array{std::pair{Normalisation::none, "none"}, std::pair{Normalisation::unit_gaussian, "unit_gaussian"},
                    std::pair{Normalisation::min_max, "min_max"}};
}

/// What gets statistics of its own: each channel, or each channel at each point of the grid.
enum class NormaliseOver { channel, point };

constexpr auto option_names(NormaliseOver)
{
  return std::array{std::pair{NormaliseOver::channel, "channel"}, std::pair{NormaliseOver::point, "point"}};
}

/// Maps fields in their units to numbers of order one, and back.
///
///     encode(u) = (u − offset) / scale,  decode(v) = v · scale + offset
///
/// unit_gaussian: offset is the mean, scale the standard deviation (of the population, as n, not n − 1, divides);
/// min_max: offset is the least value, scale the range, so that encoded training data lie in [0, 1].
/// What does not vary in the data keeps its scale. Statistics a channel fit any grid, statistics a point only their
/// own.
class Normaliser {
 public:
  friend class Statistics;

  /// Changes nothing.
  Normaliser() = default;

  /// Takes the statistics from training data; computed in float64.
  /// @param values  [batch, channel, …]
  static Normaliser fit(Normalisation kind, NormaliseOver over, const Tensor& values);

  /// What a checkpoint needs: "offset" and "scale", float64 [channel] or [channel, …]; empty if nothing is changed.
  std::map<std::string, Tensor> state() const;
  static Normaliser from_state(const std::map<std::string, Tensor>& state);

  /// @param values  [batch, channel, …], any floating type
  /// @return        the same shape, type and device
  /// @throws ShapeError  if channels, or the grid of statistics a point, are not those of the data it was fitted to.
  Tensor encode(const Tensor& values) const;
  Tensor decode(const Tensor& values) const;

  void to(torch::Device device);

 private:
  Normaliser(Tensor offset, Tensor scale) : offset_(std::move(offset)), scale_(std::move(scale)) {}
  Tensor fitted(const Tensor& statistic, const Tensor& values) const;

  Tensor offset_, scale_;  // undefined if nothing is changed
};

/// What a normaliser takes from data that come in pieces, in one pass: the statistics of the pieces are merged (Chan,
/// Golub, LeVeque 1983), so that they need not be in memory together. One piece gives the bits of Normaliser::fit().
class Statistics {
 public:
  /// @param missing  whether values that are not finite are missing and left out, not errors
  Statistics(Normalisation kind, NormaliseOver over, bool missing = false) : kind_(kind), over_(over), missing_(missing)
  {
  }

  /// @param values  [batch, channel, …], any floating type
  void add(const Tensor& values);
  /// Makes the statistics those of all ranks' values. Collective; every rank must have added some.
  void combine(const Communicator& ranks);
  Normaliser normaliser() const;

 private:
  Normalisation kind_;
  NormaliseOver over_;
  bool missing_;
  // unit_gaussian: count, mean, deviation; min_max: count, least, greatest. float64 [channel] or [channel, …]
  Tensor count_, first_, second_;
};

}  // namespace locum::operators
