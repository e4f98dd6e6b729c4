#pragma once
#include <locum/core/sample.hpp>
#include "../spread.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace locum::physics {

/// The outline of a flat tensile specimen around the origin, pulled along x: two grips, a narrow part between them that
/// is joined to the grips by circular fillets, and an elliptic hole in the narrow part. With equal widths it is a plate
/// with a hole. Lengths in m.
struct Specimen {
  double length = 0.1;
  double grip_width = 0.05;
  double gauge_length = 0.05;  ///< Of the narrow part.
  double gauge_width = 0.04;
  double fillet = 0.02;  ///< Radius; at least half of what the widths differ by.
  double hole_x = 0, hole_y = 0;
  double radius_x = 0.008, radius_y = 0.008;  ///< Of the hole; 0: none.
};

/// Which specimens are drawn: numbers between two ends, uniformly. Widths are in parts of what they are measured by.
struct SpecimenOptions {
  double length = 0.1;
  double grip_width = 0.05;
  std::vector<double> gauge_length = {0.45, 0.6};
  std::vector<double> gauge_width = {0.6, 1.0};
  std::vector<double> hole_radius = {0.1, 0.3};
  double hole_offset = 0.1;
  Spread spread = Spread::random;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the specimens, m");
    option("grip_width", grip_width, "width of their ends, m");
    option("gauge_length", gauge_length, "ends of the range of the narrow part's length, in lengths");
    option("gauge_width", gauge_width, "of its width, in widths of the grips");
    option("hole_radius", hole_radius, "of both radii of the elliptic hole, in widths of the narrow part");
    option("hole_offset", hole_offset,
           "of the hole from the middle along each axis, at most, in widths of the narrow part");
    option("spread", spread, "of specimens over these ranges: random, or sobol (evenly)");
  }

  /// @throws OptionError  naming the first option that is no range, or lets a hole come too near to an edge.
  void check(const std::string& equation) const;
};

/// Specimen number `i`.
Specimen draw_specimen(const SpecimenOptions& options, std::uint64_t seed, std::int64_t i);

/// Its numbers as scalars of one member, and back from those of a member of a sample.
/// @throws DataError  if one of the scalars is missing
std::map<std::string, Scalar> scalars_of(const Specimen& specimen);
Specimen specimen_of(const Sample& problem, std::int64_t member);

/// A mesh of triangles: columns between the outlines, and around the hole rings that grow with their distance from it.
/// Vertices on edges of quadratic cells lie on the true outline.
/// @param across  cells across the narrow part
/// @return        with boundaries left, right, hole, sides
/// @throws ShapeError  if the parts do not fit: the hole must lie in the narrow part, the fillets within the length
Mesh mesh_of_specimen(const Specimen& specimen, std::int64_t across, bool quadratic_cells);

/// Distance to the outline, negative inside the material; the outline is a polygon of about 400 corners.
/// @param points  [point, 2]
/// @return        float64 [point]
Tensor signed_distance(const Specimen& specimen, const Tensor& points);

}  // namespace locum::physics
