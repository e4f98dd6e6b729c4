#include "finite_volume.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/parallel.hpp>
#include <locum/core/processors.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "../time_steps.hpp"

namespace locum::solvers {

using physics::ConservationLaw;
using physics::FiniteVolumes;
using physics::Strip;

namespace {

/// Shu and Osher's method: each stage is `start` times the state at the start of the step, and the rest of a step of
/// Euler's from the stage before.
constexpr double start_of_stage[] = {0, 3.0 / 4.0, 1.0 / 3.0};

/// stage = start · before + (1 − start) (stage + step · rate), so that what has no rate stays as it is.
LOCUM_FOR_PROCESSORS void move(double start, const double* before, double step, const double* rate, std::int64_t count,
                               double* __restrict stage)
{
  for (std::int64_t i = 0; i < count; ++i) {
    const double moved = stage[i] + step * rate[i];
    stage[i] = moved + start * (before[i] - moved);
  }
}

std::int64_t first_of(std::int64_t total, int rank, int ranks) { return total * rank / ranks; }

/// A member, or the rows of it that this rank holds.
class Member {
 public:
  /// @param ranks  who hold the rows of the member, in their order
  Member(const FiniteVolumes& volumes, int axes, std::int64_t rows, std::int64_t columns, const Communicator& ranks,
         bool periodic, bool threads)
      : volumes_(volumes),
        ranks_(ranks),
        periodic_(periodic),
        threads_(threads),
        first_(first_of(rows, ranks.rank(), ranks.size())),
        rows_(first_of(rows, ranks.rank() + 1, ranks.size()) - first_),
        all_rows_(rows),
        strip_(volumes.variables(), rows_, columns, axes),
        state_(static_cast<std::size_t>(strip_.variables() * rows_ * columns)),
        before_(state_.size()),
        rate_(state_.size())
  {
  }

  /// @param conserved  [variable, row, x] of all rows; of them those that this rank holds are advanced
  void advance(double* conserved, double duration, double courant)
  {
    copy([](double& outside, double& inside) { inside = outside; }, conserved);
    for (double left = duration; left > 0;) {
      before_ = state_;
      prepare();
      const double longest = courant / ranks_.maximum(fastest());
      const double steps = std::max(1.0, std::ceil(left / longest * (1 - 1e-12)));
      const double step = left / steps;
      if (step < 1e-12 * duration) {  // the state has grown beyond all bounds
        std::fill(state_.begin(), state_.end(), std::numeric_limits<double>::quiet_NaN());
        break;
      }
      for (const double start : start_of_stage) {
        if (start > 0) prepare();
        by_rows([&](std::int64_t from, std::int64_t to) {
          volumes_.rate(strip_, rate_.data(), from, to);
          for (std::int64_t v = 0; v < strip_.variables(); ++v) {
            const auto place = static_cast<std::size_t>((v * rows_ + from) * strip_.columns());
            move(start, before_.data() + place, step, rate_.data() + place, (to - from) * strip_.columns(),
                 state_.data() + place);
          }
        });
      }
      left = steps > 1 ? left - step : 0;
    }
    copy([](double& outside, double& inside) { outside = inside; }, conserved);
  }

 private:
  template <class Body>
  void copy(const Body& body, double* all)
  {
    const std::int64_t columns = strip_.columns();
    for (std::int64_t v = 0; v < strip_.variables(); ++v)
      for (std::int64_t i = 0; i < rows_ * columns; ++i)
        body(all[(v * all_rows_ + first_) * columns + i], state_[static_cast<std::size_t>(v * rows_ * columns + i)]);
  }

  void by_rows(const std::function<void(std::int64_t, std::int64_t)>& work)
  {
    constexpr std::int64_t worth_a_thread = 4000;  // cells
    if (threads_) parallel_for(0, rows_, worth_a_thread / strip_.columns() + 1, work);
    else work(0, rows_);
  }

  /// Primitive variables, and what is beyond the strip's edges.
  void prepare()
  {
    by_rows([&](std::int64_t from, std::int64_t to) { volumes_.primitives(state_.data(), strip_, from, to); });
    const bool alone = ranks_.size() == 1;
    volumes_.edges(strip_, alone || (!periodic_ && ranks_.rank() == 0),
                   alone || (!periodic_ && ranks_.rank() + 1 == ranks_.size()));
    if (!alone) exchange();
  }

  double fastest()
  {
    double most = 0;
    std::mutex one_at_a_time;
    by_rows([&](std::int64_t from, std::int64_t to) {
      const double here = volumes_.fastest(strip_, from, to);
      const std::lock_guard lock(one_at_a_time);
      most = std::max(most, here);
    });
    return most;
  }

  /// The two rows beyond each edge of the strip from the ranks that hold them.
  void exchange()
  {
    const int rank = ranks_.rank(), size = ranks_.size();
    const auto neighbour = [&](int other) {
      if (periodic_) return (other + size) % size;
      return other < 0 || other >= size ? MPI_PROC_NULL : other;
    };
    const std::int64_t stride = strip_.stride(), block = Strip::ghosts * stride;
    const auto count = static_cast<int>(strip_.variables() * block);
    sent_.resize(static_cast<std::size_t>(count));
    received_.resize(sent_.size());
    const auto swap = [&](int to, std::int64_t from_row, int from, std::int64_t to_row) {
      for (std::int64_t v = 0; v < strip_.variables(); ++v)
        std::copy_n(strip_.at(v, from_row) - Strip::ghosts, block, sent_.data() + v * block);
      MPI_Sendrecv(sent_.data(), count, MPI_DOUBLE, to, 0, received_.data(), count, MPI_DOUBLE, from, 0, ranks_.raw(),
                   MPI_STATUS_IGNORE);
      if (from == MPI_PROC_NULL) return;
      for (std::int64_t v = 0; v < strip_.variables(); ++v)
        std::copy_n(received_.data() + v * block, block, strip_.at(v, to_row) - Strip::ghosts);
    };
    const int below = neighbour(rank - 1), above = neighbour(rank + 1);
    swap(above, rows_ - Strip::ghosts, below, -Strip::ghosts);
    swap(below, 0, above, rows_);
  }

  const FiniteVolumes& volumes_;
  const Communicator ranks_;
  bool periodic_, threads_;
  std::int64_t first_, rows_, all_rows_;
  Strip strip_;
  std::vector<double> state_, before_, rate_, sent_, received_;
};

/// Puts together what ranks have done of [part, …]: of `parts` parts rank r has those from first_of() on.
void gather(double* all, std::int64_t parts, std::int64_t size_of_part, const Communicator& ranks)
{
  std::vector<int> counts, places;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    places.push_back(static_cast<int>(first_of(parts, rank, ranks.size()) * size_of_part));
    counts.push_back(static_cast<int>(first_of(parts, rank + 1, ranks.size()) * size_of_part) - places.back());
  }
  MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, counts.data(), places.data(), MPI_DOUBLE, ranks.raw());
}

/// The same steps in libtorch's operations. @param conserved  [batch, variable, (y,) x]
Tensor run_in_tensors(const FiniteVolumes& volumes, Tensor conserved, double duration, double courant)
{
  std::vector<std::int64_t> shape(static_cast<std::size_t>(conserved.dim()), 1);
  shape[0] = conserved.size(0);
  Tensor left = torch::full({conserved.size(0)}, duration, conserved.options());
  while ((left > 0).any().item<bool>()) {
    const Tensor longest = courant / volumes.fastest(conserved.detach());
    const Tensor steps = (left / longest * (1 - 1e-12)).ceil().clamp_min(1);
    const Tensor step = left / steps;
    Tensor stage = conserved;
    for (const double start : start_of_stage) {
      const Tensor moved = stage + step.view(shape) * volumes.rate(stage);
      stage = moved + start * (conserved - moved);
    }
    conserved = torch::where(left.view(shape) > 0, stage, conserved);
    left = torch::where(steps > 1, left - step, torch::zeros_like(left));
  }
  return conserved;
}

}  // namespace

FiniteVolumeSolver::FiniteVolumeSolver(const ConservationLaw& equation, FiniteVolumeOptions options,
                                       const Communicator& ranks)
    : equation_(equation), options_(options), ranks_(ranks)
{
  if (!(options.courant > 0 && options.courant <= 1))
    throw OptionError({.doing = fmt::format("setting up the solver of equation {}", equation.name()),
                       .where = "solver.courant",
                       .found = fmt::format("{}", options.courant),
                       .expected = "above 0, at most 1",
                       .advice = "courant = 0.4"});
}

std::string FiniteVolumeSolver::description() const
{
  return fmt::format("{}, finite volumes, courant {}", equation_.name(), options_.courant);
}

Sample FiniteVolumeSolver::advance(const Sample& state, double duration)
{
  require_duration(equation_, duration);
  const Grid& grid = state.grid();
  const auto volumes = equation_.discretise(grid);
  const Tensor values = stack_channels(state, equation_.state());
  if (values.size(1) != volumes->variables())
    throw ShapeError({.doing = fmt::format("advancing equation {}", equation_.name()),
                      .where = "the state",
                      .found = to_string(values.sizes()),
                      .expected = fmt::format("{} channels", volumes->variables()),
                      .advice = ""});
  const auto result = [&](const Tensor& conserved) {
    return advanced(equation_, state, volumes->state(conserved).to(values.scalar_type()), duration, "courant",
                    options_.courant);
  };
  const Tensor conserved = volumes->conserved(values.to(torch::kFloat64));
  if (needs_tensors(values)) return result(run_in_tensors(*volumes, conserved, duration, options_.courant));

  const Tensor numbers = conserved.contiguous();
  const int axes = static_cast<int>(grid.axes.size());
  const std::int64_t members = numbers.size(0), rows = axes == 2 ? grid.axes[0].points : 1;
  const std::int64_t columns = grid.axes.back().points, size = members > 0 ? numbers.numel() / members : 0;
  const bool periodic = axes == 2 && equation_.volumes().boundary_y == physics::Boundary::periodic;
  double* const all = numbers.data_ptr<double>();
  if (members < ranks_.size() && rows / ranks_.size() >= Strip::ghosts) {
    Member member(*volumes, axes, rows, columns, ranks_, periodic, /*threads=*/true);
    for (std::int64_t m = 0; m < members; ++m) {
      member.advance(all + m * size, duration, options_.courant);
      for (std::int64_t v = 0; v < volumes->variables(); ++v)
        gather(all + m * size + v * rows * columns, rows, columns, ranks_);
    }
    return result(numbers);
  }
  const std::int64_t first = first_of(members, ranks_.rank(), ranks_.size());
  const std::int64_t last = first_of(members, ranks_.rank() + 1, ranks_.size());
  const auto run = [&](std::int64_t from, std::int64_t to, bool threads) {
    Member member(*volumes, axes, rows, columns, {}, periodic, threads);
    for (std::int64_t m = from; m < to; ++m) member.advance(all + m * size, duration, options_.courant);
  };
  if (last - first < at::get_num_threads()) run(first, last, true);
  else parallel_for(first, last, 1, [&](std::int64_t from, std::int64_t to) { run(from, to, false); });
  if (ranks_.size() > 1) gather(all, members, size, ranks_);
  return result(numbers);
}

}  // namespace locum::solvers
