#include "schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace locum::operators {

double learning_rate(const ScheduleOptions& options, double epoch, std::int64_t epochs)
{
  if (epoch < options.warmup) return options.rate * epoch / options.warmup;
  switch (options.schedule) {
    case Schedule::constant:
      return options.rate;
    case Schedule::step:
      return options.rate * std::pow(options.step_factor, std::floor(epoch / static_cast<double>(options.step_epochs)));
    case Schedule::cosine: {
      const auto end = static_cast<double>(options.cosine_epochs > 0 ? options.cosine_epochs : epochs);
      const double way = std::min(1.0, (epoch - options.warmup) / (end - options.warmup));
      return options.rate * (1 + std::cos(std::numbers::pi * way)) / 2;
    }
  }
  return options.rate;
}

}  // namespace locum::operators
