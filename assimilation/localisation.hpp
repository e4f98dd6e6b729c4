#pragma once
#include <memory>

#include "observations.hpp"

namespace locum::assimilation {

/// How far observations reach, and which observations and points of the grid are near each other: found once for every
/// network, kept for the last one.
class Localisation {
 public:
  /// @param length  of gaspari_cohn(), in the unit of the grid's coordinates (km on a sphere); 0: everything reaches
  ///                everywhere
  Localisation(const Grid& grid, double length);

  double length() const noexcept { return length_; }
  bool local() const noexcept { return length_ > 0; }
  /// Observations near every point of the grid; points and observations near every observation.
  const Neighbours& observations_near_points(const std::shared_ptr<const Network>& network);
  const Neighbours& points_near_observations(const std::shared_ptr<const Network>& network);
  const Neighbours& observations_near_observations(const std::shared_ptr<const Network>& network);

 private:
  struct Kept {
    std::shared_ptr<const Network> network;
    Neighbours neighbours;
  };
  const Neighbours& find(Kept& kept, const std::shared_ptr<const Network>& network, bool from_points, bool to_points);

  Geometry geometry_;
  Matrix points_;
  double length_;
  Kept near_points_, of_points_, of_observations_;
};

}  // namespace locum::assimilation
