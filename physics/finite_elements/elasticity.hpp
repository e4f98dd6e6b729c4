#pragma once
#include <array>
#include <utility>

#include "mesh_equation.hpp"
#include "specimen.hpp"

namespace locum::physics {

/// What two dimensions stand for: a thin sheet, or a slice of something long.
enum class Plane { stress, strain };
constexpr auto option_names(Plane)
{
  return std::array{std::pair{Plane::stress, "stress"}, std::pair{Plane::strain, "strain"}};
}

/// A linear elastic material, and random specimens of it under tension.
struct ElasticityOptions {
  double youngs_modulus = 70e9;
  double poisson_ratio = 0.33;
  Plane plane = Plane::stress;
  double tension = 1e8;
  std::string clamped = "left";
  std::string pulled = "right";
  SpecimenOptions specimen;
  bool quadratic = true;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("youngs_modulus", youngs_modulus, "E, Pa");
    option("poisson_ratio", poisson_ratio, "from above -1 to below 0.5");
    option("plane", plane, "in two dimensions: stress (a thin sheet) or strain (a slice of something long)");
    option("tension", tension, "traction along x on the boundary that is pulled, Pa");
    option("clamped", clamped, "boundary that is held");
    option("pulled", pulled, "boundary that is pulled");
    specimen.visit(option);
    option("quadratic", quadratic, "quadratic cells instead of linear ones");
  }
};

/// Small deformations of an isotropic elastic body on a mesh:
///     −∇·σ = f,   σ = λ tr(ε) 1 + 2μ ε,   ε = (∇u + ∇uᵀ)/2,      u = u₀ or σ·n = t   on each part of the boundary,
/// in the plane (plane stress or strain) or in space.
///
/// Fields, at the vertices, [batch, component, vertex]; what is not given has the value in brackets:
///   youngs_modulus     E > 0, Pa       (that of the options)
///   body_force         f, N/m³         (0)
///   displacement_NAME  u₀ on boundary NAME, m; displacement_NAME_x: its first component alone (a roller)
///   traction_NAME      t on boundary NAME, Pa (0)
///   displacement       u, m, sought
///   von_mises          √(3/2 s:s) with s the deviator of σ, Pa: of the stress at the vertices of every cell, averaged
///                      over the cells around a vertex, each with its measure
///
/// Linear cells lock as ν nears 0.5 in plane strain or space; quadratic ones do not for ν up to 0.49 or so.
class Elasticity : public MeshEquation {
 public:
  /// @throws OptionError  if the modulus is not positive, Poisson's ratio out of range, or the specimens do not fit
  explicit Elasticity(ElasticityOptions options = {});

  const ElasticityOptions& options() const noexcept { return options_; }

  std::string name() const override { return "elasticity"; }
  std::vector<std::string> inputs() const override;
  std::vector<std::string> outputs() const override { return {"displacement", "von_mises"}; }
  /// @param cells  one number: cells across the narrow part of a specimen
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// A random specimen, with a mesh of its own: one at a time.
  /// @throws ShapeError  if several are asked for
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  /// The mesh under tension: nothing is random.
  Sample draw_on(const Mesh& mesh, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  std::string unknown() const override { return "displacement"; }
  std::string load() const override { return "traction"; }
  std::int64_t components(const Mesh& mesh) const override { return mesh.vertices.size(1); }
  bool is_symmetric(const Sample&) const override { return true; }
  Tensor kernel(const Mesh& mesh) const override;
  Sample solution(const Sample& problem, const Tensor& values) const override;

  /// σ from displacement gradients.
  /// @param gradients  [..., component, axis]
  /// @param modulus    E, [...] or what spreads over it
  /// @return  [..., 3, 3] with the components out of the plane
  Tensor stress(const Tensor& gradients, const Tensor& modulus) const;

 protected:
  WeakForm weak_form(const Mesh& mesh, const Sample& problem, std::int64_t member) const override;
  std::vector<std::string> positive() const override { return {"youngs_modulus"}; }

 private:
  /// λ / E and μ / E, as they multiply strains in so many dimensions.
  std::pair<double, double> moduli(std::int64_t dimension) const;

  ElasticityOptions options_;
};

/// √(3/2 s:s), s the deviator of stress. @param stress  [..., 3, 3]
Tensor von_mises(const Tensor& stress);

}  // namespace locum::physics
