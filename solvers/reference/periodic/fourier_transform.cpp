#include "fourier_transform.hpp"

#include <fcntl.h>
#include <fftw3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <new>

#include <locum/core/handle.hpp>

#include "../share.hpp"

namespace locum::solvers {

namespace fs = std::filesystem;

namespace {

/// FFTW's functions by precision.
template <class Real>
struct Fftw;

template <>
struct Fftw<double> {
  using Plan = fftw_plan;
  using Complex = fftw_complex;
  static constexpr const char* wisdom = "fftw-wisdom";
  static constexpr auto plan_complex = &fftw_plan_many_dft;
  static constexpr auto plan_to_complex = &fftw_plan_many_dft_r2c;
  static constexpr auto plan_to_real = &fftw_plan_many_dft_c2r;
  static constexpr auto execute_complex = &fftw_execute_dft;
  static constexpr auto execute_to_complex = &fftw_execute_dft_r2c;
  static constexpr auto execute_to_real = &fftw_execute_dft_c2r;
  static constexpr auto destroy = &fftw_destroy_plan;
  static constexpr auto read_wisdom = &fftw_import_wisdom_from_filename;
  static constexpr auto write_wisdom = &fftw_export_wisdom_to_filename;
};

template <>
struct Fftw<float> {
  using Plan = fftwf_plan;
  using Complex = fftwf_complex;
  static constexpr const char* wisdom = "fftwf-wisdom";
  static constexpr auto plan_complex = &fftwf_plan_many_dft;
  static constexpr auto plan_to_complex = &fftwf_plan_many_dft_r2c;
  static constexpr auto plan_to_real = &fftwf_plan_many_dft_c2r;
  static constexpr auto execute_complex = &fftwf_execute_dft;
  static constexpr auto execute_to_complex = &fftwf_execute_dft_r2c;
  static constexpr auto execute_to_real = &fftwf_execute_dft_c2r;
  static constexpr auto destroy = &fftwf_destroy_plan;
  static constexpr auto read_wisdom = &fftwf_import_wisdom_from_filename;
  static constexpr auto write_wisdom = &fftwf_export_wisdom_to_filename;
};

/// FFTW plans one thread at a time.
std::mutex planning;

fs::path cache_folder()
{
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) return fs::path(cache) / "locum";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "locum";
  return {};
}

void unlock_and_close(int file)
{
  flock(file, LOCK_UN);
  close(file);
}

/// The user's wisdom, locked and read as long as this lives, and written back with what was learnt meanwhile.
/// Processes that start together wait for the first of them to measure, and take its plans.
template <class Real>
class Wisdom {
 public:
  Wisdom()
  {
    const fs::path folder = cache_folder();
    std::error_code ignored;
    if (folder.empty() || (fs::create_directories(folder, ignored), !fs::is_directory(folder, ignored))) return;
    file_ = folder / Fftw<Real>::wisdom;
    lock_ =
        Handle<int, -1, unlock_and_close>(open((file_.string() + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
    if (!lock_ || flock(lock_.get(), LOCK_EX) != 0) lock_ = {};
    else Fftw<Real>::read_wisdom(file_.c_str());
  }
  ~Wisdom()
  {
    if (!lock_) return;
    const fs::path written = file_.string() + ".partial";
    std::error_code ignored;
    if (Fftw<Real>::write_wisdom(written.c_str())) fs::rename(written, file_, ignored);
  }
  Wisdom(const Wisdom&) = delete;
  Wisdom& operator=(const Wisdom&) = delete;

  unsigned planning_flag() const { return lock_ ? FFTW_MEASURE : FFTW_ESTIMATE; }

 private:
  fs::path file_;
  Handle<int, -1, unlock_and_close> lock_;
};

constexpr std::size_t alignment = 16;  // bytes: what FFTW asks of the arrays it plans for and is given

constexpr std::int64_t round_up(std::int64_t count, std::size_t multiple)
{
  const auto step = static_cast<std::int64_t>(multiple);
  return (count + step - 1) / step * step;
}

constexpr std::int64_t rows_together = 8;
constexpr std::int64_t columns_together = 16;

}  // namespace

template <class Real>
AlignedArray<Real>::AlignedArray(std::int64_t count)
{
  constexpr std::size_t cache_line = 64;
  const auto reals = static_cast<std::size_t>(round_up(std::max<std::int64_t>(count, 1), cache_line / sizeof(Real)));
  const auto bytes = reals * sizeof(Real);
  data_.reset(static_cast<Real*>(std::aligned_alloc(cache_line, bytes)));
  if (!data_) throw std::bad_alloc();
  std::memset(static_cast<void*>(data_.get()), 0, bytes);
}

template <class Real>
void AlignedArray<Real>::Free::operator()(void* memory) const
{
  std::free(memory);
}

template <class Real>
struct FourierTransform<Real>::Plans {
  using Plan = Handle<typename Fftw<Real>::Plan, nullptr, Fftw<Real>::destroy>;
  /// A transform along an axis, of some neighbouring columns at once and of those that remain.
  struct Axis {
    Plan forward, backward, forward_rest, backward_rest;
    std::int64_t blocks = 0, rest = 0;
    std::int64_t outer = 1, outer_step = 0;  // lines of columns, and modes from one to the next
  };
  Plan to_values, to_modes;
  std::int64_t rows_a_call = 1;
  std::vector<Axis> axes;                     // y, z
  AlignedArray<Real> planes, sent, received;  // of one field, where ranks share it
};

template <class Real>
std::int64_t FourierTransform<Real>::columns(std::int64_t points_along_x)
{
  return round_up(points_along_x / 2 + 1, alignment / sizeof(std::complex<Real>));
}

template <class Real>
FourierTransform<Real>::FourierTransform(const std::vector<std::int64_t>& points, std::int64_t kept,
                                         const Communicator& ranks)
    : points_(points),
      ranks_(ranks),
      kept_(kept),
      columns_(columns(points.back())),
      rows_of_values_(1),
      rows_of_modes_(1),
      row_length_(round_up(points.back(), alignment / sizeof(Real))),
      plans_(std::make_unique<Plans>())
{
  using Library = Fftw<Real>;
  using Complex = typename Library::Complex;
  for (std::size_t axis = 0; axis + 1 < points.size(); ++axis) rows_of_values_ *= points[axis];
  rows_of_modes_ = rows_of_values_;
  std::int64_t lines_of_z = points.size() == 3 ? points[1] : 1;  // those at one x
  if (ranks.size() > 1) {
    const auto own = [&](std::int64_t count) { return planes_of(count, ranks.rank(), ranks.size()); };
    lines_of_z = own(points[1]);
    rows_of_values_ = own(points[0]) * points[1];
    rows_of_modes_ = points[0] * lines_of_z;
  }

  const std::lock_guard one_at_a_time(planning);
  const Wisdom<Real> wisdom;
  const unsigned flag = wisdom.planning_flag();
  const std::int64_t in_planes = rows_of_values_ * columns_;
  AlignedArray<Real> values(reals());
  AlignedArray<Real> modes(2 * std::max(this->modes(), in_planes));
  if (ranks.size() > 1) {
    plans_->planes = AlignedArray<Real>(2 * in_planes);
    plans_->sent = AlignedArray<Real>(2 * std::max(this->modes(), in_planes));
    plans_->received = AlignedArray<Real>(2 * std::max(this->modes(), in_planes));
  }
  auto* const complex = reinterpret_cast<Complex*>(modes.data());

  const int n = static_cast<int>(points.back()), row = static_cast<int>(row_length_),
            columns = static_cast<int>(columns_);
  plans_->rows_a_call = rows_of_values_ % rows_together == 0 ? rows_together : 1;
  const int together = static_cast<int>(plans_->rows_a_call);
  plans_->to_values = typename Plans::Plan(
      Library::plan_to_real(1, &n, together, complex, nullptr, 1, columns, values.data(), nullptr, 1, row, flag));
  plans_->to_modes = typename Plans::Plan(
      Library::plan_to_complex(1, &n, together, values.data(), nullptr, 1, row, complex, nullptr, 1, columns, flag));

  for (std::size_t axis = points.size() - 1; axis-- > 0;) {
    const bool along_z = points.size() == 3 && axis == 0;
    const std::int64_t stride = along_z ? columns_ * lines_of_z : columns_;
    const int length = static_cast<int>(points[axis]);
    typename Plans::Axis along;
    along.blocks = kept_ / columns_together;
    along.rest = kept_ % columns_together;
    const auto plan = [&](std::int64_t many, int sign) {
      return typename Plans::Plan(Library::plan_complex(1, &length, static_cast<int>(many), complex, nullptr,
                                                        static_cast<int>(stride), 1, complex, nullptr,
                                                        static_cast<int>(stride), 1, sign, flag));
    };
    if (along.blocks > 0) {
      along.forward = plan(columns_together, FFTW_FORWARD);
      along.backward = plan(columns_together, FFTW_BACKWARD);
    }
    if (along.rest > 0) {
      along.forward_rest = plan(along.rest, FFTW_FORWARD);
      along.backward_rest = plan(along.rest, FFTW_BACKWARD);
    }
    along.outer = along_z ? lines_of_z : rows_of_values_ / points[axis];
    along.outer_step = along_z ? columns_ : columns_ * points[axis];
    plans_->axes.push_back(std::move(along));
  }
}

template <class Real>
FourierTransform<Real>::~FourierTransform()
{
  const std::lock_guard one_at_a_time(planning);  // destroying plans is planning, to FFTW
  plans_.reset();
}

template <class Real>
void FourierTransform<Real>::along(std::size_t axis, std::complex<Real>* modes, std::int64_t length,
                                   std::int64_t fields, bool forward, bool with_team) const
{
  using Complex = typename Fftw<Real>::Complex;
  const auto& along = plans_->axes[axis];
  const std::int64_t blocks = along.blocks + (along.rest > 0 ? 1 : 0);
  share(with_team, fields * along.outer * blocks, [&](std::int64_t task) {
    const std::int64_t block = task % blocks, line = task / blocks % along.outer, field = task / blocks / along.outer;
    auto* const first =
        reinterpret_cast<Complex*>(modes + field * length + line * along.outer_step + block * columns_together);
    const bool whole = block < along.blocks;
    const auto& plan =
        forward ? (whole ? along.forward : along.forward_rest) : (whole ? along.backward : along.backward_rest);
    Fftw<Real>::execute_complex(plan.get(), first, first);
  });
}

template <class Real>
void FourierTransform<Real>::rows_to_values(std::complex<Real>* modes, Real* values, std::int64_t rows,
                                            bool with_team) const
{
  const std::int64_t step = plans_->rows_a_call;
  share(with_team, rows / step, [&](std::int64_t task) {
    const std::int64_t row = task * step;
    Fftw<Real>::execute_to_real(plans_->to_values.get(),
                                reinterpret_cast<typename Fftw<Real>::Complex*>(modes + row * columns_),
                                values + row * row_length_);
  });
}

template <class Real>
void FourierTransform<Real>::rows_to_modes(Real* values, std::complex<Real>* modes, std::int64_t rows,
                                           bool with_team) const
{
  const std::int64_t step = plans_->rows_a_call;
  share(with_team, rows / step, [&](std::int64_t task) {
    const std::int64_t row = task * step;
    Fftw<Real>::execute_to_complex(plans_->to_modes.get(), values + row * row_length_,
                                   reinterpret_cast<typename Fftw<Real>::Complex*>(modes + row * columns_));
  });
}

template <class Real>
void FourierTransform<Real>::exchange(std::complex<Real>* planes_of_y, std::complex<Real>* planes_of_z,
                                      bool to_planes_of_z) const
{
  const int size = ranks_.size(), rank = ranks_.rank();
  const std::int64_t all_z = points_[0], all_y = points_[1];
  const std::int64_t own_z = planes_of(all_z, rank, size), own_y = planes_of(all_y, rank, size);
  /// Copies the part of the planes that is another rank's planes of the other kind, to or from a message; its length.
  const auto part_of_y = [&](int other, std::complex<Real>* message, bool pack) {
    const std::int64_t first = first_plane(all_z, other, size), last = first_plane(all_z, other + 1, size);
    for (std::int64_t row = first * own_y; row < last * own_y; ++row, message += kept_) {
      std::complex<Real>* const modes = planes_of_y + row * columns_;
      if (pack) std::copy(modes, modes + kept_, message);
      else std::copy(message, message + kept_, modes);
    }
    return (last - first) * own_y * kept_;
  };
  const auto part_of_z = [&](int other, std::complex<Real>* message, bool pack) {
    const std::int64_t first = first_plane(all_y, other, size), last = first_plane(all_y, other + 1, size);
    for (std::int64_t z = 0; z < own_z; ++z)
      for (std::int64_t y = first; y < last; ++y, message += kept_) {
        std::complex<Real>* const modes = planes_of_z + (z * all_y + y) * columns_;
        if (pack) std::copy(modes, modes + kept_, message);
        else std::fill(std::copy(message, message + kept_, modes), modes + columns_, std::complex<Real>());
      }
    return own_z * (last - first) * kept_;
  };
  auto* const sent = reinterpret_cast<std::complex<Real>*>(plans_->sent.data());
  auto* const received = reinterpret_cast<std::complex<Real>*>(plans_->received.data());
  std::vector<int> send_counts, send_places, receive_counts, receive_places;
  std::int64_t send_place = 0, receive_place = 0;
  for (int other = 0; other < size; ++other) {  // counts in reals
    const std::int64_t out =
        to_planes_of_z ? part_of_y(other, sent + send_place, true) : part_of_z(other, sent + send_place, true);
    const std::int64_t in =
        kept_ * (to_planes_of_z ? own_z * planes_of(all_y, other, size) : planes_of(all_z, other, size) * own_y);
    send_counts.push_back(static_cast<int>(2 * out));
    send_places.push_back(static_cast<int>(2 * send_place));
    receive_counts.push_back(static_cast<int>(2 * in));
    receive_places.push_back(static_cast<int>(2 * receive_place));
    send_place += out;
    receive_place += in;
  }
  const MPI_Datatype type = std::is_same_v<Real, double> ? MPI_DOUBLE : MPI_FLOAT;
  MPI_Alltoallv(sent, send_counts.data(), send_places.data(), type, received, receive_counts.data(),
                receive_places.data(), type, ranks_.raw());
  for (int other = 0; other < size; ++other) {
    std::complex<Real>* const message = received + receive_places[static_cast<std::size_t>(other)] / 2;
    if (to_planes_of_z) part_of_z(other, message, false);
    else part_of_y(other, message, false);
  }
}

template <class Real>
void FourierTransform<Real>::to_values(std::complex<Real>* modes, Real* values, std::int64_t fields,
                                       bool with_team) const
{
  if (ranks_.size() == 1) {
    for (std::size_t axis = plans_->axes.size(); axis-- > 0;)
      along(axis, modes, this->modes(), fields, /*forward=*/false, with_team);
    rows_to_values(modes, values, fields * rows_of_values_, with_team);
    return;
  }
  auto* const planes = reinterpret_cast<std::complex<Real>*>(plans_->planes.data());
  for (std::int64_t field = 0; field < fields; ++field) {
    std::complex<Real>* const own = modes + field * this->modes();
    along(1, own, 0, 1, /*forward=*/false, false);
    exchange(own, planes, /*to_planes_of_z=*/true);
    along(0, planes, 0, 1, /*forward=*/false, false);
    rows_to_values(planes, values + field * reals(), rows_of_values_, false);
  }
}

template <class Real>
void FourierTransform<Real>::to_modes(Real* values, std::complex<Real>* modes, std::int64_t fields,
                                      bool with_team) const
{
  if (ranks_.size() == 1) {
    rows_to_modes(values, modes, fields * rows_of_values_, with_team);
    for (std::size_t axis = 0; axis < plans_->axes.size(); ++axis)
      along(axis, modes, this->modes(), fields, /*forward=*/true, with_team);
    return;
  }
  auto* const planes = reinterpret_cast<std::complex<Real>*>(plans_->planes.data());
  for (std::int64_t field = 0; field < fields; ++field) {
    std::complex<Real>* const own = modes + field * this->modes();
    rows_to_modes(values + field * reals(), planes, rows_of_values_, false);
    along(0, planes, 0, 1, /*forward=*/true, false);
    exchange(own, planes, /*to_planes_of_z=*/false);
    along(1, own, 0, 1, /*forward=*/true, false);
  }
}

template class AlignedArray<double>;
template class AlignedArray<float>;
template class FourierTransform<double>;
template class FourierTransform<float>;

}  // namespace locum::solvers
