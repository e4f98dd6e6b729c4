#pragma once
#include <string>
#include <vector>

#include "../equation.hpp"

namespace locum::physics {

/// A system of linear equations as the matrices of cells, whose sum is its matrix A, and its right-hand side b.
///
/// Unknowns are numbered vertex by vertex: vertex · components + component. Rows of prescribed unknowns say
/// d u = d u₀ with d the diagonal entry that the cells give them, and their columns are moved to the right-hand side,
/// so that A is symmetric if the cells' matrices are.
struct ElementSystem {
  Tensor unknowns;    ///< [cell, own unknown], int64: their numbers in the mesh.
  Tensor matrices;    ///< [cell, own unknown, own unknown], float64.
  Tensor right_side;  ///< [unknown], float64.

  /// A u, [unknown]: gather, multiply, add up. Differentiable.
  Tensor product(const Tensor& u) const;
};

/// A linear, steady equation in weak form, discretised by finite elements on the mesh of its problem: linear or
/// quadratic Lagrange elements on triangles or tetrahedra, whichever the mesh has.
///
/// A problem is a Sample on a Mesh, its members problems on that one mesh. Fields have values at the vertices,
/// [batch, component, vertex]; what a boundary condition says is a field, too, of which only the values at the vertices
/// of that boundary matter:
///   UNKNOWN_NAME    values of the unknown on boundary NAME, all components; if there is such a field, they are
///                   prescribed there ("displacement_left")
///   UNKNOWN_NAME_x  the same of one component (x, y or z) alone: [batch, 1, vertex]; the others are free
///   LOAD_NAME       flux or traction on boundary NAME ("traction_right"); 0 on boundaries without such a field
/// Where conditions of two boundaries meet, prescribed values win over loads, and boundaries later in the alphabet over
/// earlier ones.
///
/// What derives from it gives the weak form on cells; everything else, the reference solver too, is common.
class MeshEquation : public SteadyEquation {
 public:
  /// The field that is sought.
  virtual std::string unknown() const = 0;
  /// First part of the names of loads: "traction".
  virtual std::string load() const = 0;
  /// Components of both at a vertex of `mesh`.
  virtual std::int64_t components(const Mesh& mesh) const = 0;
  /// Whether the matrix of this problem is symmetric, and so positive definite.
  virtual bool is_symmetric(const Sample& problem) const = 0;
  /// What the equation does not see without boundary conditions: constants, rigid motions. Multigrid coarsens by them.
  /// @return  [unknown, mode], float64
  virtual Tensor kernel(const Mesh& mesh) const = 0;
  /// The solution's fields from values of the unknown.
  /// @param values  [batch, component, vertex]
  virtual Sample solution(const Sample& problem, const Tensor& values) const = 0;
  /// Random problems on a mesh that is given: conditions and inputs. As draw() otherwise.
  /// @throws DataError  if the mesh lacks a boundary that the options name
  virtual Sample draw_on(const Mesh& mesh, std::uint64_t seed, std::int64_t first, std::int64_t count) const = 0;

  /// The system of equations of one member. Differentiable in the problem's fields and the mesh's vertices.
  /// @throws ShapeError, DataError  as check(), for what is cheap to see
  ElementSystem system(const Sample& problem, std::int64_t member) const;

  /// b − A u, [batch, component, vertex]: the entries of prescribed values are d (u₀ − u).
  Tensor residual(const Sample& problem, const Sample& solution) const override;
  /// b, the same shape.
  Tensor forcing(const Sample& problem) const override;

  /// Makes sure that `problem` can be solved.
  /// @throws ShapeError  if it is not on a mesh of triangles or tetrahedra, a cell is degenerate, or a field has
  /// another
  ///                     shape than [batch, component, vertex]
  /// @throws DataError   if a value is not finite or out of range, an index of the mesh is none of its vertices, or the
  ///                     boundary conditions do not determine the solution (a body that can still turn)
  void check(const Sample& problem) const;

 protected:
  /// What cells contribute to one member's equations, boundary conditions apart.
  struct WeakForm {
    Tensor matrices;  ///< [cell, own unknown, own unknown]
    Tensor loads;     ///< [cell, own unknown]; undefined if there are none.
  };
  virtual WeakForm weak_form(const Mesh& mesh, const Sample& problem, std::int64_t member) const = 0;
  /// Fields that must be positive.
  virtual std::vector<std::string> positive() const = 0;

  /// A field of the problem, [component, vertex] of one member in float64; undefined if there is none.
  /// @throws ShapeError  if it is not [batch, components, vertex]
  static Tensor values_of(const Sample& problem, const std::string& field, std::int64_t components,
                          std::int64_t member);

 private:
  struct Prescribed;
  Prescribed prescribed(const Mesh& mesh, const Sample& problem, std::int64_t member) const;
  Tensor loads(const Mesh& mesh, const Sample& problem, std::int64_t member) const;
};

/// The mesh a problem lives on. @throws ShapeError  if it lives elsewhere.
const Mesh& mesh_of(const Sample& problem);

/// A random coefficient for problem number `i`: exp(deviation · g), g with mean 0, variance 1 and about the covariance
/// exp(−r²/2ℓ²), a sum of 64 cosines of random waves (Rahimi and Recht 2007).
/// @param length  ℓ, in parts of the longest side of the box around the mesh
/// @return  float64 [vertex]
Tensor random_lognormal(const Mesh& mesh, double deviation, double length, std::uint64_t seed, std::int64_t i);

}  // namespace locum::physics
