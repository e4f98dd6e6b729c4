#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../equation.hpp"

namespace locum::physics {

/// What is beyond an edge of the domain.
enum class Boundary {
  periodic,
  outflow,  ///< The values at the edge go on: waves leave.
  wall      ///< Their mirror image, the velocity across the edge reversed.
};
constexpr auto option_names(Boundary)
{
  return std::array{std::pair{Boundary::periodic, "periodic"}, std::pair{Boundary::outflow, "outflow"},
                    std::pair{Boundary::wall, "wall"}};
}

/// How steep a reconstruction may be, a and b the differences to both neighbours; 0 where their signs differ.
enum class Limiter {
  van_leer,  ///< 2ab / (a + b): van Leer, J. Comput. Phys. 14 (1974).
  minmod     ///< The smaller of both: more diffusive.
};
constexpr auto option_names(Limiter)
{
  return std::array{std::pair{Limiter::van_leer, "van_leer"}, std::pair{Limiter::minmod, "minmod"}};
}

/// Domain and reconstruction, of every conservation law.
struct VolumeOptions {
  std::vector<double> lengths = {1, 1};
  Boundary boundary_y = Boundary::periodic;
  Boundary boundary_x = Boundary::periodic;
  Limiter limiter = Limiter::van_leer;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("lengths", lengths, "of the domain along each axis, slowest first: one for a line, two for a rectangle");
    option("boundary_y", boundary_y, "both edges across y: periodic, outflow or wall");
    option("boundary_x", boundary_x, "the same across x");
    option("limiter", limiter, "of the slopes in cells: van_leer or minmod");
  }
};

/// Rows of cells of one member, with two more cells beyond each edge: what loops over numbers work on. On a line there
/// is one row, and nothing beyond it.
class Strip {
 public:
  static constexpr std::int64_t ghosts = 2;

  Strip(std::int64_t variables, std::int64_t rows, std::int64_t columns, int axes);

  std::int64_t variables() const noexcept { return variables_; }
  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return columns_; }
  /// Distance from a value to the one in the next row.
  std::int64_t stride() const noexcept { return columns_ + 2 * ghosts; }
  int axes() const noexcept { return axes_; }

  /// The value of a variable in the first column of a row; rows −2 … rows()+1, in a plane.
  double* at(std::int64_t variable, std::int64_t row) { return values_.data() + place(variable, row); }
  const double* at(std::int64_t variable, std::int64_t row) const { return values_.data() + place(variable, row); }

 private:
  std::int64_t place(std::int64_t variable, std::int64_t row) const
  {
    const std::int64_t beyond = axes_ == 2 ? ghosts : 0;
    return (variable * (rows_ + 2 * beyond) + row + beyond) * stride() + ghosts;
  }

  std::int64_t variables_, rows_, columns_;
  int axes_;
  std::vector<double> values_;
};

/// The finite volumes of a conservation law on a grid: averages over cells change by the fluxes through their faces,
///     dU_i/dt = −Σ_axis (F_{i+½} − F_{i−½}) / Δ + S_i,
/// the fluxes between states that lie on both sides of a face, which limited slopes of the primitive variables give
/// (MUSCL: van Leer, J. Comput. Phys. 32 (1979)). Second order in space where solutions are smooth.
///
/// All is there twice, by the same formulas at points: in tensors, differentiable, and as loops over rows of numbers.
class FiniteVolumes {
 public:
  virtual ~FiniteVolumes() = default;

  /// Channels of a state, and as many conserved quantities and primitive variables.
  virtual std::int64_t variables() const = 0;

  // In tensors, [batch, channel, (y,) x].
  virtual Tensor conserved(const Tensor& state) const = 0;
  virtual Tensor state(const Tensor& conserved) const = 0;
  /// dU/dt. Differentiable.
  virtual Tensor rate(const Tensor& conserved) const = 0;
  /// What dU/dt means for the state: (∂state/∂U) rate.
  virtual Tensor state_rate(const Tensor& conserved, const Tensor& rate) const = 0;
  /// Cells that the fastest signal crosses in a unit of time, axes added up, in each member: [batch].
  virtual Tensor fastest(const Tensor& conserved) const = 0;

  // In loops, rows first … last−1 of a strip.
  /// Primitive variables, and what lies beyond the ends of the rows.
  /// @param conserved  [variable, row, x], the strip's rows
  virtual void primitives(const double* conserved, Strip& strip, std::int64_t first, std::int64_t last) const = 0;
  /// What lies beyond the first and last rows, if these are edges of the domain.
  virtual void edges(Strip& strip, bool low, bool high) const = 0;
  virtual double fastest(const Strip& strip, std::int64_t first, std::int64_t last) const = 0;
  /// dU/dt, [variable, row, x], the strip's rows.
  virtual void rate(const Strip& strip, double* rate, std::int64_t first, std::int64_t last) const = 0;
};

/// A hyperbolic conservation law on a line or a rectangle, its state averages over equal cells.
class ConservationLaw : public EvolvingEquation {
 public:
  /// One axis or two, as the option `lengths` says. @throws OptionError  if cells are along another number of axes
  Grid grid(const std::vector<std::int64_t>& cells) const final;
  Tensor tendency(const Tensor& state, const Grid& grid) const final;

  /// @throws ShapeError  if the grid is none of grid()'s
  virtual std::unique_ptr<FiniteVolumes> discretise(const Grid& grid) const = 0;

  const VolumeOptions& volumes() const noexcept { return volumes_; }

 protected:
  /// @throws OptionError  if a length is not positive, or there is not one or two of them
  ConservationLaw(const std::string& name, VolumeOptions options);

  int axes() const noexcept { return static_cast<int>(volumes_.lengths.size()); }
  void require_grid(const Grid& grid) const;

 private:
  VolumeOptions volumes_;
};

}  // namespace locum::physics
