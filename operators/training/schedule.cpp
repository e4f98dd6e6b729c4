#include "schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace locum::operators {

/// From `start` to `end` by half a cosine, as `way` goes from 0 to 1.
static double by_cosine(double start, double end, double way)
{
  return end + (start - end) * (1 + std::cos(std::numbers::pi * std::clamp(way, 0.0, 1.0))) / 2;
}

double learning_rate(const ScheduleOptions& options, double epoch, std::int64_t epochs, std::int64_t reductions)
{
  const auto all = static_cast<double>(epochs);
  if (options.schedule == Schedule::one_cycle) {
    const double top = options.warmup > 0 ? options.warmup : 0.3 * all;
    constexpr double first = 1.0 / 25, last = first * 1e-4;
    return options.rate *
           (epoch < top ? by_cosine(first, 1, epoch / top) : by_cosine(1, last, (epoch - top) / (all - top)));
  }
  if (epoch < options.warmup) return options.rate * epoch / options.warmup;
  switch (options.schedule) {
    case Schedule::step:
      return options.rate * std::pow(options.step_factor, std::floor(epoch / static_cast<double>(options.step_epochs)));
    case Schedule::cosine: {
      const auto end = options.cosine_epochs > 0 ? static_cast<double>(options.cosine_epochs) : all;
      return by_cosine(options.rate, 0, (epoch - options.warmup) / (end - options.warmup));
    }
    case Schedule::plateau:
      return options.rate * std::pow(options.step_factor, static_cast<double>(reductions));
    default:
      return options.rate;
  }
}

}  // namespace locum::operators
