#include "gradient_sum.hpp"

#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <locum/io/batches/batches.hpp>

namespace locum::operators {

namespace {

/// Runs after a gradient was added to its parameter's.
class Arrival : public torch::autograd::FunctionPostHook {
 public:
  explicit Arrival(std::function<void()> work) : work_(std::move(work)) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override
  {
    work_();
    return outputs;
  }

 private:
  std::function<void()> work_;
};

bool mpi_takes_gpu_memory()
{
#if defined(MPIX_CUDA_AWARE_SUPPORT) && MPIX_CUDA_AWARE_SUPPORT
  return MPIX_Query_cuda_support() == 1;
#else
  return false;
#endif
}

MPI_Datatype mpi_type(const Tensor& values) { return values.scalar_type() == torch::kFloat64 ? MPI_DOUBLE : MPI_FLOAT; }

void sum_now(const Tensor& values, const Communicator& ranks)
{
  MPI_Allreduce(MPI_IN_PLACE, values.data_ptr(), static_cast<int>(values.numel()), mpi_type(values), MPI_SUM,
                ranks.raw());
}

}  // namespace

void sum_over(const Communicator& ranks, std::span<double> numbers)
{
  if (ranks.size() == 1) return;
  MPI_Allreduce(MPI_IN_PLACE, numbers.data(), static_cast<int>(numbers.size()), MPI_DOUBLE, MPI_SUM, ranks.raw());
}

static Tensor part_of(const Tensor& vector, const Parameters::Range& range)
{
  return vector.narrow(0, range.begin, range.end - range.begin);
}

/// How many numbers of a bucket each rank has, and where they begin in it.
template <class Shares>
static auto counts_and_places(const Shares& shares)
{
  std::vector<int> counts, places;
  for (const auto& share : shares) {
    counts.push_back(static_cast<int>(share.end - share.begin));
    places.push_back(static_cast<int>(share.begin - shares.front().begin));
  }
  return std::pair{counts, places};
}

GradientSum::GradientSum(Parameters& parameters, const Communicator& ranks, bool shared, int direct)
    : parameters_(parameters),
      ranks_(ranks),
      shared_(shared && ranks.size() > 1 && parameters.values.device().is_cpu()),
      direct_(ranks.size() <= direct),
      arrived_(static_cast<std::size_t>(parameters.count()), false)
{
  if (!shared_) return;
  // Large enough that MPI's cost a message does not matter, and enough of them to send some while others are computed.
  const std::int64_t bucket_bytes = std::max<std::int64_t>(4 << 20, ranks_.size() * (64 << 10));
  const std::int64_t most = bucket_bytes / parameters_.values.element_size();
  bucket_of_.resize(static_cast<std::size_t>(parameters_.count()));
  std::int64_t end = parameters_.values.numel();
  buckets_.push_back({.all = {end, end}});
  for (std::int64_t i = parameters_.count(); i-- > 0;) {
    if (buckets_.back().all.end - parameters_.offset(i) > most && buckets_.back().parameters > 0)
      buckets_.push_back({.all = {buckets_.back().all.begin, buckets_.back().all.begin}});
    buckets_.back().all.begin = parameters_.offset(i);
    ++buckets_.back().parameters;
    bucket_of_[static_cast<std::size_t>(i)] = buckets_.size() - 1;
  }
  std::vector<Range> owned;
  for (Bucket& bucket : buckets_) {
    const std::int64_t lines = (bucket.all.end - bucket.all.begin) / Parameters::line;
    for (int rank = 0; rank < ranks_.size(); ++rank) {
      const auto share = io::share_of(lines, rank, ranks_.size());
      const std::int64_t begin = bucket.all.begin + share.first * Parameters::line;
      bucket.shares.push_back({begin, begin + share.count * Parameters::line});
    }
    owned.push_back(bucket.shares[static_cast<std::size_t>(ranks_.rank())]);
    bucket.received = torch::empty({direct_ ? ranks_.size() : 1, owned.back().end - owned.back().begin},
                                   parameters_.values.options());
  }
  parameters_.step_only(owned);
  if (!direct_) return;
  for (std::int64_t i = 0; i < parameters_.count(); ++i) {
    accumulators_.push_back(torch::autograd::impl::grad_accumulator(parameters_.parameter(i)));
    hooks_.push_back(accumulators_.back()->add_post_hook(std::make_unique<Arrival>([this, i] { arrived(i); })));
  }
}

GradientSum::~GradientSum()
{
  for (std::size_t i = 0; i < accumulators_.size(); ++i) accumulators_[i]->del_post_hook(hooks_[i]);
}

Tensor GradientSum::own(const Bucket& bucket) const
{
  return part_of(parameters_.gradients, bucket.shares[static_cast<std::size_t>(ranks_.rank())]);
}

void GradientSum::begin()
{
  for (Bucket& bucket : buckets_) bucket.pending = bucket.parameters;
  next_ = 0;
  begun_ = true;
}

void GradientSum::arrived(std::int64_t parameter)
{
  if (!begun_) return;
  parameters_.collect_gradient(parameter);
  arrived_[static_cast<std::size_t>(parameter)] = true;
  --buckets_[bucket_of_[static_cast<std::size_t>(parameter)]].pending;
  send_those_complete();
  int all_there = 0;  // MPI gets on with what is on its way only when it is called
  MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &all_there, MPI_STATUSES_IGNORE);
}

void GradientSum::send_those_complete()
{
  // In one order on all ranks, as messages from one to another are told apart by it.
  for (; next_ < buckets_.size() && buckets_[next_].pending == 0; ++next_) {
    const Bucket& bucket = buckets_[next_];
    for (int away = 1; away < ranks_.size(); ++away) {  // each rank begins with another
      const int to = (ranks_.rank() + away) % ranks_.size(),
                from = (ranks_.rank() + ranks_.size() - away) % ranks_.size();
      const Tensor received = bucket.received[from],
                   sent = part_of(parameters_.gradients, bucket.shares[static_cast<std::size_t>(to)]);
      requests_.emplace_back();
      MPI_Irecv(received.data_ptr(), static_cast<int>(received.numel()), mpi_type(received), from, 0, ranks_.raw(),
                &requests_.back());
      requests_.emplace_back();
      MPI_Isend(sent.data_ptr(), static_cast<int>(sent.numel()), mpi_type(sent), to, 0, ranks_.raw(),
                &requests_.back());
    }
  }
}

void GradientSum::finish()
{
  for (std::int64_t i = 0; i < parameters_.count(); ++i)
    if (!arrived_[static_cast<std::size_t>(i)]) parameters_.collect_gradient(i);
  arrived_.assign(arrived_.size(), false);
  if (ranks_.size() == 1) return;
  if (!shared_) {
    const bool on_gpu = !parameters_.gradients.device().is_cpu();
    if (on_gpu) torch::cuda::synchronize();
    if (!on_gpu || mpi_takes_gpu_memory()) sum_now(parameters_.gradients, ranks_);
    else {
      const Tensor on_host = parameters_.gradients.cpu();
      sum_now(on_host, ranks_);
      parameters_.gradients.copy_(on_host);
    }
    return;
  }
  torch::NoGradGuard no_gradients;
  if (!direct_) {
    for (const Bucket& bucket : buckets_) {
      const auto counts = counts_and_places(bucket.shares).first;
      const Tensor all = part_of(parameters_.gradients, bucket.all), sum = bucket.received[0];
      MPI_Reduce_scatter(all.data_ptr(), sum.data_ptr(), counts.data(), mpi_type(all), MPI_SUM, ranks_.raw());
      own(bucket).copy_(sum);
    }
    return;
  }
  if (!begun_) begin();
  for (Bucket& bucket : buckets_) bucket.pending = 0;  // parameters that had no part in the pass
  send_those_complete();
  MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
  requests_.clear();
  begun_ = false;
  for (const Bucket& bucket : buckets_)
    for (int rank = 0; rank < ranks_.size(); ++rank)
      if (rank != ranks_.rank()) own(bucket).add_(bucket.received[rank]);
}

double GradientSum::norm() const
{
  if (!shared_) return parameters_.gradients.norm().item<double>();
  std::array<double, 1> square = {0};
  for (const Bucket& bucket : buckets_) square[0] += std::pow(own(bucket).norm().item<double>(), 2);
  sum_over(ranks_, square);
  return std::sqrt(square[0]);
}

void GradientSum::exchange(const Tensor& vector) const
{
  for (const Bucket& bucket : buckets_) {
    const auto [counts, places] = counts_and_places(bucket.shares);
    const Tensor part = part_of(vector, bucket.all);
    MPI_Allgatherv(MPI_IN_PLACE, 0, mpi_type(part), part.data_ptr(), counts.data(), places.data(), mpi_type(part),
                   ranks_.raw());
  }
}

void GradientSum::bring_to_root(const Tensor& vector) const
{
  for (const Bucket& bucket : buckets_) {
    const auto [counts, places] = counts_and_places(bucket.shares);
    const Tensor all = part_of(vector, bucket.all),
                 known = part_of(vector, bucket.shares[static_cast<std::size_t>(ranks_.rank())]);
    MPI_Gatherv(ranks_.is_root() ? MPI_IN_PLACE : known.data_ptr(), static_cast<int>(known.numel()), mpi_type(known),
                all.data_ptr(), counts.data(), places.data(), mpi_type(all), 0, ranks_.raw());
  }
}

}  // namespace locum::operators
