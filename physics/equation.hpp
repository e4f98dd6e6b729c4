#pragma once
#include <locum/core/sample.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace locum::physics {

/// A steady partial differential equation: what is given, what is sought, and how far a field is from solving it.
class SteadyEquation {
 public:
  virtual ~SteadyEquation() = default;

  virtual std::string name() const = 0;
  /// Fields a problem consists of, and fields of its solution.
  virtual std::vector<std::string> inputs() const = 0;
  virtual std::vector<std::string> outputs() const = 0;

  /// The grid of `cells` cells an axis (slowest first) on the equation's domain.
  /// @throws OptionError  if the number of axes is not the equation's.
  virtual Grid grid(const std::vector<std::int64_t>& cells) const = 0;

  /// Random problems number first … first+count−1, float64. Problem i depends on seed and i alone.
  virtual Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const = 0;

  /// What is left of the equation when `solution` is put in, discretised as the reference solver does.
  /// Differentiable in both arguments. @return [batch, equation, (z, y,) x]; zero for the discrete solution.
  virtual Tensor residual(const Sample& problem, const Sample& solution) const = 0;

  /// Right-hand side on the same discretisation, the scale to judge a residual by; shape as residual().
  virtual Tensor forcing(const Sample& problem) const = 0;
};

}  // namespace locum::physics
