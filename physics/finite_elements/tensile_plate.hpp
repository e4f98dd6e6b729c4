#pragma once
#include "elasticity.hpp"

namespace locum::physics {

/// What a tensile plate is made of, how it is pulled, and which outlines are drawn.
struct TensilePlateOptions {
  double youngs_modulus = 70e9;
  double poisson_ratio = 0.33;
  double tension = 1e8;
  SpecimenOptions specimen;
  std::int64_t across = 10;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("youngs_modulus", youngs_modulus, "E, Pa");
    option("poisson_ratio", poisson_ratio, "from above -1 to below 0.5");
    option("tension", tension, "traction on the right end, Pa");
    specimen.visit(option);
    option("across", across, "quadratic cells across the narrow part, in the reference solver's meshes");
  }
};

/// Flat specimens with a hole, of random outlines, in plane stress, as pictures: clamped at the left end, pulled at the
/// right one by a traction along x, on a grid over the box around them.
///
/// Fields at the grid's points:
///   signed_distance  to the outline, m, negative in the material; given
///   mask             1 in the material, 0 elsewhere; given
///   displacement     x and y, m; sought; NaN outside of the material
///   von_mises        Pa; sought; NaN outside
/// and the outline's numbers as scalars (physics::Specimen), from which the reference solver makes its mesh: it solves
/// physics::Elasticity on quadratic triangles and takes the solution to the grid's points.
///
/// Residual: −∇·σ at the points, second-order differences of the displacement, where all that they need lies in the
/// material, 0 elsewhere. Judged by forcing(): the stress that is applied, over a spacing. The reference solution has a
/// residual, too, which falls with the spacing, but near the hole and corners of the grips slowly: the grid cannot show
/// what happens there.
class TensilePlate : public SteadyEquation {
 public:
  /// @throws OptionError  as Elasticity does, or if `across` is below 2
  explicit TensilePlate(TensilePlateOptions options = {});

  const TensilePlateOptions& options() const noexcept { return options_; }
  /// The equation that the reference solver solves on meshes.
  const Elasticity& elasticity() const noexcept { return elasticity_; }

  std::string name() const override { return "tensile_plate"; }
  std::vector<std::string> inputs() const override { return {"signed_distance", "mask"}; }
  std::vector<std::string> outputs() const override { return {"displacement", "von_mises"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  /// [batch, 2, y, x], N/m³. @throws ShapeError  if fields are not on a uniform grid of two axes
  Tensor residual(const Sample& problem, const Sample& solution) const override;
  Tensor forcing(const Sample& problem) const override;

 private:
  TensilePlateOptions options_;
  Elasticity elasticity_;
};

}  // namespace locum::physics
