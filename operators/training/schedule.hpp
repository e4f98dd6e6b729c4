#pragma once
#include <array>
#include <cstdint>
#include <utility>

namespace locum::operators {

/// How the learning rate changes over a training.
enum class Schedule { constant, step, cosine };
constexpr auto option_names(Schedule)
{
  return std::array{std::pair{Schedule::constant, "constant"}, std::pair{Schedule::step, "step"},
                    std::pair{Schedule::cosine, "cosine"}};
}

struct ScheduleOptions {
  double rate = 1e-3;
  Schedule schedule = Schedule::cosine;
  double warmup = 0;
  std::int64_t step_epochs = 100;
  double step_factor = 0.5;
  std::int64_t cosine_epochs = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("rate", rate, "learning rate, the largest if it is scheduled");
    option("schedule", schedule, "of the learning rate: constant, step or cosine");
    option("warmup", warmup, "epochs over which the rate grows from 0, linearly");
    option("step_epochs", step_epochs, "step: epochs between two reductions");
    option("step_factor", step_factor, "step: what each reduction multiplies by");
    option("cosine_epochs", cosine_epochs, "cosine: epochs to reach 0; 0 means all of them");
  }
};

/// The learning rate at time `epoch`, a fraction between two epochs, of a training of `epochs` epochs.
double learning_rate(const ScheduleOptions& options, double epoch, std::int64_t epochs);

}  // namespace locum::operators
