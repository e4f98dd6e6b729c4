#include "mixed_precision.hpp"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace locum::operators {

static void set_autocast(torch::Device device, bool on)
{
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_dtype(device.type(), at::kBFloat16);
  at::autocast::set_autocast_enabled(device.type(), on);
#else
  if (device.is_cuda()) {
    at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    at::autocast::set_enabled(on);
  } else {
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(on);
  }
#endif
}

MixedPrecision::MixedPrecision(torch::Device device, bool wanted) : device_(device), wanted_(wanted)
{
  if (wanted_) set_autocast(device_, true);
}

MixedPrecision::~MixedPrecision()
{
  if (!wanted_) return;
  set_autocast(device_, false);
  at::autocast::clear_cache();  // of weights in bfloat16, which the next step changes
}

}  // namespace locum::operators
