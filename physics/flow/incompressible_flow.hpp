#pragma once
#include "../equation.hpp"

namespace locum::physics {

/// What bounds a flow on a rectangle.
struct FlowBounds {
  bool channel = true;  ///< From an inlet in the west to an outlet in the east; false: walls all round.
  std::vector<double> inflow;  ///< Velocity at the inlet, m/s, one a row from the south on.
  double lid = 0;              ///< Velocity of the north wall along x, m/s.
};

/// Steady flow of an incompressible fluid in a rectangle, past obstacles:
///     u·∇u = −∇p + ν Δu,   ∇·u = 0,
/// with u = 0 on walls and obstacles, p the pressure divided by the density.
///
/// Fields of a solution at the centres of cells, zero in obstacles:
///   velocity       [batch, 2, y, x], along x and y, m/s: means of what the faces carry
///   pressure       [batch, 1, y, x], m²/s²; zero at the outlet; without one, of mean zero in the fluid
///   face_velocity  [batch, 2, y, x], m/s: along x on the east face of each cell, along y on its north face
/// The last is what the discrete equations (staggered_flow.hpp) are written in. Obstacles are made of whole cells.
class IncompressibleFlow : public SteadyEquation {
 public:
  std::vector<std::string> outputs() const override { return {"velocity", "pressure"}; }

  /// What is left of momentum along x and y, m/s², and mass, 1/s, [batch, 3, y, x]; nothing in obstacles. Differentiable.
  /// A solution without face_velocity (a prediction, say) is taken to have the mean of the cells beside a face on it:
  /// what is left then is the error of that mean as well.
  Tensor residual(const Sample& problem, const Sample& solution) const override;

  /// Minus residual() of a fluid at rest: what drives the flow.
  Tensor forcing(const Sample& problem) const override;

  /// staggered::Coefficient of each cell, float64 [batch, coefficient, y, x].
  /// @throws DataError, ShapeError  if `problem` is not one of this equation
  Tensor coefficients(const Sample& problem) const;

  /// The unknowns of a solution, float64 [batch, staggered::Component, y, x], as residual() takes them; zero where none
  /// are sought. Differentiable.
  Tensor unknowns(const Sample& problem, const Sample& solution) const;

  /// A solution from its unknowns, [batch, staggered::Component, y, x].
  Sample solution(const Sample& problem, const Tensor& unknowns) const;

 protected:
  virtual FlowBounds bounds(const Grid& grid) const = 0;
  /// Where there is fluid, bool [batch, y, x].
  virtual Tensor fluid(const Sample& problem) const = 0;
  /// ν of each member, m²/s, float64 [batch].
  virtual Tensor viscosity(const Sample& problem) const = 0;
};

}  // namespace locum::physics
