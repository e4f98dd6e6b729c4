#pragma once
#include <complex>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace locum::solvers {

/// Transforms of real fields on a periodic grid by FFTW, shared by the threads of an OpenMP team.
///
/// Modes are the half spectrum [(z, y,) columns(x)], of which the first x/2 + 1 are used. Only those with |index| below
/// `kept` along x are transformed along the other axes: what dealiasing removes is not computed. Neither direction
/// divides.
///
/// FFTW's plans are measured once and kept in the user's cache ($XDG_CACHE_HOME/locum, else ~/.cache/locum), so that
/// all processes of a machine compute the same bits, today and tomorrow; where they cannot be kept they are estimated.
template <class Real>
class FourierTransform {
 public:
  /// @param points  of the grid, slowest axis first; one to three axes
  /// @param kept    modes along x, from 0 on, that are ever different from zero
  FourierTransform(const std::vector<std::int64_t>& points, std::int64_t kept);
  ~FourierTransform();
  FourierTransform(const FourierTransform&) = delete;
  FourierTransform& operator=(const FourierTransform&) = delete;

  /// Complex numbers from one row of modes to the next: those there are, and as many more as rows need to be aligned.
  static std::int64_t columns(std::int64_t points_along_x);
  /// Reals from one row of x to the next, and of a whole field.
  std::int64_t row_length() const noexcept { return row_length_; }
  std::int64_t reals() const noexcept { return rows_ * row_length_; }
  std::int64_t modes() const noexcept { return rows_ * columns_; }

  /// Fields from modes; destroys `modes`.
  /// @param modes   [field, mode]; zero where not kept
  /// @param values  [field, reals()]
  /// @param with_team  all threads of an OpenMP team call this, and share the work
  void to_values(std::complex<Real>* modes, Real* values, std::int64_t fields, bool with_team) const;
  /// Modes from fields. Modes that are not kept are left undefined.
  void to_modes(Real* values, std::complex<Real>* modes, std::int64_t fields, bool with_team) const;

 private:
  struct Plans;
  void along_other_axes(std::complex<Real>* modes, std::int64_t fields, bool forward, bool with_team) const;

  std::vector<std::int64_t> points_;
  std::int64_t kept_, columns_, rows_, row_length_;
  std::unique_ptr<Plans> plans_;
};

/// Memory aligned for FFTW.
template <class Real>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(std::int64_t count);  ///< Zeros.
  Real* data() const noexcept { return data_.get(); }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  std::unique_ptr<Real, Free> data_;
};

}  // namespace locum::solvers
