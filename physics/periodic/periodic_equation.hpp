#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <locum/core/random.hpp>
#include <string>
#include <vector>

#include "../equation.hpp"

namespace locum::physics {

/// A periodic equation in Fourier space, on some grid:
///     ∂û/∂t = linear û + contract F[ multiply( F⁻¹[ expand û + mean ] ) ] + forcing.
///
/// Coefficients are those of exp(i k·x): F divides by the number of points. Modes are the half spectrum of real fields,
/// [mode] = [(z, y,) x/2 + 1], as torch::fft::rfftn has them. All tensors are complex128.
struct FourierForm {
  Tensor linear;  ///< [component, component, mode…]; solvers integrate it exactly or implicitly.
  Tensor expand;  ///< [factor, component, mode…]
  Tensor mean;  ///< [factor, mode…]: what does not depend on the state (topography, a background flow), or undefined.
  Tensor contract;  ///< [component, product, mode…]
  Tensor forcing;   ///< [component, mode…], or undefined.
};

/// A field that is linear in an equation's state, as a stream function, or given, as a mask: F of it is
/// Σ expand û + mean.
struct DiagnosticField {
  std::string name;
  Tensor expand;  ///< [component, mode…], or undefined
  Tensor mean;    ///< [mode…], or undefined
};

/// An evolving equation with constant coefficients in a periodic box: a linear part, and products of fields at points.
///
/// Sources: Canuto et al., Spectral Methods (2006), ch. 3; Kassam & Trefethen, SIAM J. Sci. Comput. 26 (2005).
class PeriodicEquation : public EvolvingEquation {
 public:
  virtual FourierForm form(const Grid& grid) const = 0;
  /// What terms of this equation may speak of beside its state.
  virtual std::vector<DiagnosticField> diagnostics(const Grid& grid) const;

  /// The products at `points` points: of factors[f][point], product by product. In float64 and float32.
  virtual void multiply(const double* const* factors, double* const* products, std::int64_t points) const = 0;
  virtual void multiply(const float* const* factors, float* const* products, std::int64_t points) const = 0;
  /// The same in tensors, one a factor. Differentiable.
  virtual std::vector<Tensor> multiply(const std::vector<Tensor>& factors) const = 0;

  Tensor tendency(const Tensor& state, const Grid& grid) const override;
};

/// Writes an equation's products once for numbers and tensors. `Derived` has
///     static constexpr int factors, products;
///     template <class Value> void products_of(const Value* factor, Value* product) const;
template <class Derived>
class PointwiseProducts : public PeriodicEquation {
 public:
  void multiply(const double* const* factors, double* const* products, std::int64_t points) const final
  {
    multiply_numbers(factors, products, points);
  }
  void multiply(const float* const* factors, float* const* products, std::int64_t points) const final
  {
    multiply_numbers(factors, products, points);
  }
  std::vector<Tensor> multiply(const std::vector<Tensor>& factors) const final
  {
    std::vector<Tensor> products(Derived::products);
    self().products_of(factors.data(), products.data());
    return products;
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }

  template <class Number>
  void multiply_numbers(const Number* const* factors, Number* const* products, std::int64_t points) const
  {
    const Number* in[Derived::factors];
    Number* out[Derived::products];
    for (int f = 0; f < Derived::factors; ++f) in[f] = factors[f];
    for (int p = 0; p < Derived::products; ++p) out[p] = products[p];
    const Derived& equation = self();
#pragma GCC ivdep
    for (std::int64_t point = 0; point < points; ++point) {
      Number factor[Derived::factors], product[Derived::products];
      for (int f = 0; f < Derived::factors; ++f) factor[f] = in[f][point];
      equation.products_of(factor, product);
      for (int p = 0; p < Derived::products; ++p) out[p][point] = product[p];
    }
  }
};

/// A periodic box: axes named x, y, z from the fastest on, first point at the origin.
/// @param points, lengths  slowest axis first
Grid periodic_grid(const std::vector<std::int64_t>& points, const std::vector<double>& lengths);

/// Wave numbers along an axis of the half spectrum, float64, shaped to broadcast over [mode…].
Tensor wave_numbers(const Grid& grid, std::size_t axis);
/// i times these: the derivative along the axis. Zero at the highest mode of an even number of points, whose derivative
/// no grid function has.
Tensor derivative(const Grid& grid, std::size_t axis);
/// The derivative so often by x, y and z, axes being found by their names: [mode…], complex128. Powers of derivative(),
/// but for even ones, which do have the highest mode.
/// @throws ShapeError  if the grid has no such axis
Tensor derivative(const Grid& grid, const std::array<int, 3>& times);
/// Sum of the squared wave numbers: minus the Laplacian, float64 [mode…].
Tensor squared_wave_number(const Grid& grid);

/// A matrix a mode from its entries, real or complex: [row, column, mode…], complex128. An undefined entry is zero;
/// others broadcast to the modes of all.
Tensor matrix_of(const std::vector<std::vector<Tensor>>& entries);

/// Random states of one field of one component: number i is `draw` of stream (seed, "initial state", i), [(z, y,) x].
Sample draw_states(const Grid& grid, const std::string& field, std::uint64_t seed, std::int64_t first,
                   std::int64_t count, const std::function<Tensor(RandomStream&)>& draw);

/// Fourier coefficients of real fields [batch, channel, (z, y,) x] on an equation's grid, and the fields of
/// coefficients.
Tensor to_modes(const Tensor& values);
Tensor from_modes(const Tensor& modes, const Grid& grid);

/// A state with its equation's diagnostics beside it.
/// @param state  on a grid of the equation's; fields of one component
Sample with_diagnostics(const PeriodicEquation& equation, const Sample& state);

/// What the products contribute to ∂û/∂t, forcing included, [batch, component, mode…]. Differentiable.
/// @param modes  û, [batch, component, mode…]
Tensor nonlinear_part(const PeriodicEquation& equation, const FourierForm& form, const Tensor& modes, const Grid& grid);

/// Σ_c matrix[r, c, mode…] modes[batch, c, mode…] for every r.
Tensor apply_per_mode(const Tensor& matrix, const Tensor& modes);

}  // namespace locum::physics
