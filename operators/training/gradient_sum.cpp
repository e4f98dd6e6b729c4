#include "gradient_sum.hpp"

#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <functional>
#include <limits>

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

GradientSum::GradientSum(Parameters& parameters, const Communicator& ranks) : parameters_(parameters), ranks_(ranks)
{
  arrived_.resize(static_cast<std::size_t>(parameters_.count()), false);
  if (ranks_.size() == 1) return;
  constexpr std::int64_t bucket_bytes = 1 << 20;
  const std::int64_t most = bucket_bytes / parameters_.values.element_size();
  bucket_of_.resize(static_cast<std::size_t>(parameters_.count()));
  std::int64_t end = parameters_.values.numel();
  buckets_.push_back({.begin = end, .end = end});
  for (std::int64_t i = parameters_.count(); i-- > 0;) {
    if (buckets_.back().end - parameters_.offset(i) > most && buckets_.back().parameters > 0)
      buckets_.push_back({.begin = buckets_.back().begin, .end = buckets_.back().begin});
    buckets_.back().begin = parameters_.offset(i);
    ++buckets_.back().parameters;
    bucket_of_[static_cast<std::size_t>(i)] = buckets_.size() - 1;
  }
  if (!parameters_.values.device().is_cpu()) return;
  for (std::int64_t i = 0; i < parameters_.count(); ++i) {
    accumulators_.push_back(torch::autograd::impl::grad_accumulator(parameters_.parameter(i)));
    hooks_.push_back(accumulators_.back()->add_post_hook(std::make_unique<Arrival>([this, i] { arrived(i); })));
  }
}

GradientSum::~GradientSum()
{
  for (std::size_t i = 0; i < accumulators_.size(); ++i) accumulators_[i]->del_post_hook(hooks_[i]);
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
  // In one order on all ranks, as MPI wants it.
  for (; next_ < buckets_.size() && buckets_[next_].pending == 0; ++next_) {
    const Bucket& bucket = buckets_[next_];
    const Tensor part = parameters_.gradients.narrow(0, bucket.begin, bucket.end - bucket.begin);
    requests_.emplace_back();
    MPI_Iallreduce(MPI_IN_PLACE, part.data_ptr(), static_cast<int>(part.numel()), mpi_type(part), MPI_SUM, ranks_.raw(),
                   &requests_.back());
  }
}

void GradientSum::finish()
{
  for (std::int64_t i = 0; i < parameters_.count(); ++i)
    if (!arrived_[static_cast<std::size_t>(i)]) parameters_.collect_gradient(i);
  arrived_.assign(arrived_.size(), false);
  if (ranks_.size() == 1) return;
  if (!parameters_.values.device().is_cpu()) {
    torch::cuda::synchronize();
    if (mpi_takes_gpu_memory()) sum_now(parameters_.gradients, ranks_);
    else {
      const Tensor on_host = parameters_.gradients.cpu();
      sum_now(on_host, ranks_);
      parameters_.gradients.copy_(on_host);
    }
    return;
  }
  if (!begun_) begin();
  for (Bucket& bucket : buckets_) bucket.pending = 0;  // parameters that had no part in the pass
  send_those_complete();
  MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
  requests_.clear();
  begun_ = false;
}

}  // namespace locum::operators
