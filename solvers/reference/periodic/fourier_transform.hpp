#pragma once
#include <locum/core/communicator.hpp>

#include <complex>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace locum::solvers {

/// The first of `count` planes that a rank holds, where ranks share them; the next rank's begin where its own end.
constexpr std::int64_t first_plane(std::int64_t count, int rank, int ranks) { return count * rank / ranks; }
/// How many it holds.
constexpr std::int64_t planes_of(std::int64_t count, int rank, int ranks)
{
  return first_plane(count, rank + 1, ranks) - first_plane(count, rank, ranks);
}

/// Transforms of real fields on a periodic grid by FFTW, shared by the threads of an OpenMP team, or by ranks.
///
/// Modes are the half spectrum [(z, y,) columns(x)], of which the first x/2 + 1 are used. Only those with |index| below
/// `kept` along x are transformed along the other axes: what dealiasing removes is not computed. Neither direction
/// divides.
///
/// Several ranks hold slabs of a cube: of values some planes of z, of modes some planes of y, [z, own y, columns(x)];
/// what goes from rank to rank between the transforms along y and z is only what is kept. Then every function is
/// collective, and by one thread a rank.
///
/// FFTW's plans are measured once and kept in the user's cache ($XDG_CACHE_HOME/locum, else ~/.cache/locum), so that
/// all processes of a machine compute the same bits, today and tomorrow; where they cannot be kept they are estimated.
template <class Real>
class FourierTransform {
 public:
  /// @param points  of the grid, slowest axis first; one to three axes
  /// @param kept    modes along x, from 0 on, that are ever different from zero
  /// @param ranks   several only for three axes, and none without a plane of its own
  FourierTransform(const std::vector<std::int64_t>& points, std::int64_t kept, const Communicator& ranks = {});
  ~FourierTransform();
  FourierTransform(const FourierTransform&) = delete;
  FourierTransform& operator=(const FourierTransform&) = delete;

  /// Complex numbers from one row of modes to the next: those there are, and as many more as rows need to be aligned.
  static std::int64_t columns(std::int64_t points_along_x);
  /// Reals and modes of a field, or of this rank's part of it.
  std::int64_t reals() const noexcept { return rows_of_values_ * row_length_; }
  std::int64_t modes() const noexcept { return rows_of_modes_ * columns_; }

  /// Fields from modes; destroys `modes`.
  /// @param modes   [field, mode]; zero where not kept
  /// @param values  [field, reals()]
  /// @param with_team  all threads of an OpenMP team call this, and share the work
  void to_values(std::complex<Real>* modes, Real* values, std::int64_t fields, bool with_team) const;
  /// Modes from fields. Modes that are not kept are left undefined.
  void to_modes(Real* values, std::complex<Real>* modes, std::int64_t fields, bool with_team) const;

 private:
  struct Plans;
  /// Along y (axis 0) or z (1) of fields that are `length` modes apart.
  void along(std::size_t axis, std::complex<Real>* modes, std::int64_t length, std::int64_t fields, bool forward,
             bool with_team) const;
  void rows_to_values(std::complex<Real>* modes, Real* values, std::int64_t rows, bool with_team) const;
  void rows_to_modes(Real* values, std::complex<Real>* modes, std::int64_t rows, bool with_team) const;
  /// Planes of y of one field into planes of z, or back. Collective.
  void exchange(std::complex<Real>* planes_of_y, std::complex<Real>* planes_of_z, bool to_planes_of_z) const;

  std::vector<std::int64_t> points_;
  Communicator ranks_;
  std::int64_t kept_, columns_, rows_of_values_, rows_of_modes_, row_length_;
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
