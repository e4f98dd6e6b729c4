#pragma once
#include <locum/core/sample.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace locum::physics {

/// A partial or ordinary differential equation: what is given, what is sought, and random problems to learn from.
class Equation {
 public:
  virtual ~Equation() = default;

  virtual std::string name() const = 0;
  /// Fields a problem consists of, and fields of its solution. Of an evolving equation both are its state.
  virtual std::vector<std::string> inputs() const = 0;
  virtual std::vector<std::string> outputs() const = 0;

  /// The grid of `cells` cells an axis (slowest first) on the equation's domain.
  /// @throws OptionError  if the number of axes is not the equation's.
  virtual Grid grid(const std::vector<std::int64_t>& cells) const = 0;

  /// Random problems or initial states number first … first+count−1, float64. Number i depends on seed and i alone.
  virtual Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const = 0;
};

/// An equation for one state.
class SteadyEquation : public Equation {
 public:
  /// What is left of the equation when `solution` is put in, discretised as the reference solver does.
  /// Differentiable in both arguments. @return [batch, equation, (z, y,) x]; zero for the discrete solution.
  virtual Tensor residual(const Sample& problem, const Sample& solution) const = 0;

  /// Right-hand side on the same discretisation, the scale to judge a residual by; shape as residual().
  virtual Tensor forcing(const Sample& problem) const = 0;
};

/// An equation for how a state changes.
class EvolvingEquation : public Equation {
 public:
  /// Fields of a state, each of one component but vectors.
  virtual std::vector<std::string> state() const = 0;
  std::vector<std::string> inputs() const final { return state(); }
  std::vector<std::string> outputs() const final { return state(); }

  /// Time derivative of a state. Differentiable.
  /// @param state  fields of state() side by side, [batch, channel, (z, y,) x]; on any grid of grid()
  /// @return       the same shape
  /// @throws ShapeError  if channels or points are not the grid's
  virtual Tensor tendency(const Tensor& state, const Grid& grid) const = 0;
};

}  // namespace locum::physics
