#pragma once
#include "ensemble.hpp"

namespace locum::assimilation {

/// Distances in the domain of a state: along periodic axes the shorter way round; between points given by latitude and
/// longitude (axes in degrees_north and degrees_east) the great circle, in km.
class Geometry {
 public:
  explicit Geometry(const Grid& grid);

  /// A place as distance() takes it. @param position  in the grid's coordinates, slowest axis first
  Eigen::RowVectorXd place(const std::vector<double>& position) const;
  /// The points of the grid, in its order. @return [point, dimension]
  Matrix points() const;
  double distance(const Eigen::Ref<const Eigen::RowVectorXd>& a, const Eigen::Ref<const Eigen::RowVectorXd>& b) const;
  /// Length of a period along each dimension, 0 if there is none; places along it start at `origin`.
  const Eigen::RowVectorXd& period() const noexcept { return period_; }
  bool sphere() const noexcept { return latitude_ >= 0; }

 private:
  Grid grid_;
  Eigen::RowVectorXd period_;
  int latitude_ = -1, longitude_ = -1;  // axes, on a sphere
};

/// The fifth-order function of compact support that tapers covariances: 1 at 0, .208 at `length`, 0 from 2 `length` on.
/// Source: Gaspari & Cohn, Q. J. R. Meteorol. Soc. 125 (1999), eq. 4.10.
double gaspari_cohn(double distance, double length);

/// For many places of one kind those of another kind that are near, and how much each counts.
struct Neighbours {
  std::vector<std::int64_t> first;  ///< [place + 1]: where its neighbours begin.
  std::vector<std::int64_t> index;
  std::vector<double> weight;  ///< gaspari_cohn() of the distance, above 0.
};

/// Neighbours of every place among `others`.
/// @param places, others  [place, dimension]
Neighbours find_neighbours(const Geometry& geometry, const Matrix& places, const Matrix& others, double length);

}  // namespace locum::assimilation
