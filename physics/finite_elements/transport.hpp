#pragma once
#include "mesh_equation.hpp"

namespace locum::physics {

/// Transport and diffusion on a mesh, and its random problems.
struct TransportOptions {
  double deviation = 1;  ///< Of the logarithm of random conductivities, whose median is 1.
  double length = 0.2;   ///< Over which they are correlated, in sides of the domain.
  double speed = 0;      ///< Of a uniform flow in a random direction; 0: none.
  double forcing = 1;    ///< f of random problems.
  bool quadratic = false;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("deviation", deviation, "standard deviation of log conductivity");
    option("length", length, "over which it is correlated, in sides of the domain");
    option("speed", speed, "of a uniform flow in a random direction; 0: none");
    option("forcing", forcing, "right-hand side f");
    option("quadratic", quadratic, "quadratic cells instead of linear ones");
  }
};

/// Transport by a velocity, and diffusion, on a mesh, dimensionless:
///     v·∇u − ∇·(k ∇u) = f,      u = u₀ or k ∂u/∂n = q   on each part of the boundary.
///
/// Fields, at the vertices, [batch, component, vertex]; what is not given has the value in brackets:
///   conductivity      k > 0   (1)
///   velocity          v       (0), as many components as dimensions
///   forcing           f       (0)
///   temperature_NAME  u₀ on boundary NAME
///   flux_NAME         q on boundary NAME (0: nothing but what flows through it)
///   temperature       u, sought
///
/// Galerkin's method. Where there is a velocity, test functions are weighed upwind along the streamlines (SUPG; Brooks
/// and Hughes 1982): w + τ v·∇w with τ = h/(2|v|) (coth P − 1/P), P = |v| h / 2k, and h the length of the cell along v.
/// Of the residual that τ multiplies second derivatives of u and derivatives of k are left out, which are of its order
/// on linear cells: use these with a velocity. The order in L² is 2 for linear cells, 3 for quadratic ones.
class Transport : public MeshEquation {
 public:
  /// @throws OptionError  if deviation or speed is negative, or length not positive
  explicit Transport(TransportOptions options = {});

  std::string name() const override { return "transport"; }
  std::vector<std::string> inputs() const override;
  std::vector<std::string> outputs() const override { return {"temperature"}; }
  /// @param cells  squares along [y, x] or cubes along [z, y, x], each cut into 2 triangles or 6 tetrahedra
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// On the unit square or cube, u = 0 on all sides.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  Sample draw_on(const Mesh& mesh, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  std::string unknown() const override { return "temperature"; }
  std::string load() const override { return "flux"; }
  std::int64_t components(const Mesh&) const override { return 1; }
  bool is_symmetric(const Sample& problem) const override { return !problem.fields.contains("velocity"); }
  Tensor kernel(const Mesh& mesh) const override;
  Sample solution(const Sample& problem, const Tensor& values) const override;

 protected:
  WeakForm weak_form(const Mesh& mesh, const Sample& problem, std::int64_t member) const override;
  std::vector<std::string> positive() const override { return {"conductivity"}; }

 private:
  TransportOptions options_;
};

}  // namespace locum::physics
