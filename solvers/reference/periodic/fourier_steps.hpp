#pragma once
#include <locum/core/communicator.hpp>

#include <complex>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace locum::solvers {

/// Coefficients times complex numbers, mode by mode; complex numbers as pairs of reals.
template <class Real>
struct ModeProduct {
  const Real *real, *imaginary;  ///< [mode], of the coefficients; nullptr: zero at every mode.
  const Real* in;                ///< [mode, 2]
  Real scale;
};

/// A sum of such products over some modes, computed a few at a time so that sums stay in registers.
template <class Real>
class ModeSum {
 public:
  /// @param out    [mode, 2], none of the inputs
  /// @param begin  out is to be written, not added to
  ModeSum(Real* out, std::int64_t modes, bool begin) : out_(out), modes_(modes), begin_(begin) {}

  void add(const ModeProduct<Real>& product);
  /// To be called after the last product.
  void finish();

 private:
  static constexpr int together = 4;
  void flush();

  Real* out_;
  std::int64_t modes_;
  bool begin_;
  int waiting_ = 0;
  ModeProduct<Real> products_[together];
};

/// A matrix a mode, taken apart for loops over real numbers. Entries that are zero at every mode cost nothing.
template <class Real>
class ModeMatrix {
 public:
  ModeMatrix() = default;
  /// @param values  [row, column, mode]
  ModeMatrix(std::int64_t rows, std::int64_t columns, std::int64_t modes, const std::complex<double>* values);

  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return columns_; }
  std::int64_t modes() const noexcept { return modes_; }

  /// sum += scale Σ_column matrix[row, column, mode] in[column, mode], modes from `first` on.
  void add(std::int64_t row, const Real* in, Real scale, std::int64_t first, ModeSum<Real>& sum) const;

 private:
  struct Entry {
    std::vector<Real> real, imaginary;  // empty if zero at every mode
  };
  std::int64_t rows_ = 0, columns_ = 0, modes_ = 0;
  std::vector<Entry> entries_;
};

/// Steps of one length as matrices: the state after a step is the sum of what they are multiplied with.
/// @tparam Matrix  Tensor [row, column, mode…], or ModeMatrix
template <class Matrix>
struct StepMatrices {
  Matrix expand, contract;            // modes to factors, products to rates: see physics::FourierForm
  Matrix half, half_rate;             // to the middle of a step: from the state, from its rate
  Matrix whole, first, middle, last;  // to its end by etdrk4: from the state, from the rates at its four stages
  Matrix state;                       // to its end by several steps: from the state,
  std::vector<Matrix> rates;          // from the rate now, one step ago, … ; empty for etdrk4

  template <class Convert>
  auto transform(const Convert& convert) const
  {
    StepMatrices<decltype(convert(expand))> other{
        convert(expand), convert(contract), convert(half), convert(half_rate), convert(whole),
        convert(first),  convert(middle),   convert(last), convert(state),     {}};
    for (const Matrix& matrix : rates) other.rates.push_back(convert(matrix));
    return other;
  }
};

/// Steps the modes of states in loops of our own.
template <class Real>
class FourierSteps {
 public:
  /// Products of factors at some points: see physics::PeriodicEquation::multiply().
  using Multiply = std::function<void(const Real* const* factors, Real* const* products, std::int64_t points)>;

  /// @param points         of the grid, slowest axis first
  /// @param kept           modes along x, from 0 on, that factors and rates have
  /// @param mean, forcing  [factor, mode] and [component, mode], or empty
  /// @param ranks          who shares a state, as FourierTransform does; modes are then this rank's
  /// @throws OptionError   if there are more than 64 factors or products
  FourierSteps(const std::vector<std::int64_t>& points, std::int64_t kept, StepMatrices<ModeMatrix<Real>> matrices,
               std::vector<std::complex<Real>> mean, std::vector<std::complex<Real>> forcing, Multiply multiply,
               const Communicator& ranks);
  ~FourierSteps();

  /// Each member by one thread if there are enough of them, or they are small; else one after the other by all threads.
  /// Collective, and by one thread a rank, where ranks share a state.
  /// @param states  [member, component, mode], modes in rows of FourierTransform::columns()
  void run(std::complex<Real>* states, std::int64_t members, std::int64_t steps, std::int64_t threads) const;

 private:
  struct One;
  std::unique_ptr<One> one_;
};

}  // namespace locum::solvers
