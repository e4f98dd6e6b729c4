#pragma once
#include "../equation.hpp"

namespace locum::physics {

/// Species that diffuse and react on a line or a rectangle, none of them across the edges but as edge() says:
///     ∂u_s/∂t = d_s(u_s) Δu_s + f_s(u),
/// in equal cells, values at their centres, Δ the difference of second order over neighbours.
class ReactionDiffusion : public EvolvingEquation {
 public:
  /// The value beyond an edge: constant + factor · the value in the cell at the edge.
  struct Edge {
    double constant = 0, factor = 1;
  };
  /// Of the edge at the low or high end of an axis. The default lets nothing through.
  virtual Edge edge(std::size_t axis, bool high, double spacing) const;

  /// At a point: f of all species, and d_s with its derivative.
  virtual void react(const double* u, double* f) const = 0;
  struct Diffusivity {
    double value = 0, derivative = 0;
  };
  virtual Diffusivity diffusivity(std::size_t species, double u) const = 0;
  /// Whether some d_s depends on u_s.
  virtual bool quasilinear() const { return false; }

  Tensor tendency(const Tensor& state, const Grid& grid) const final;

 protected:
  /// The same in tensors, one a species. Differentiable.
  virtual std::vector<Tensor> react(const std::vector<Tensor>& u) const = 0;
  virtual Tensor diffusivity(std::size_t species, const Tensor& u) const = 0;
};

}  // namespace locum::physics
