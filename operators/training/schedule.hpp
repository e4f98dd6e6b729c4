#pragma once
#include <array>
#include <cstdint>
#include <utility>

namespace locum::operators {

/// How the learning rate changes over a training.
enum class Schedule { constant, step, cosine, one_cycle, plateau };
constexpr auto option_names(Schedule)
{
  return std::array{std::pair{Schedule::constant, "constant"}, std::pair{Schedule::step, "step"},
                    std::pair{Schedule::cosine, "cosine"}, std::pair{Schedule::one_cycle, "one_cycle"},
                    std::pair{Schedule::plateau, "plateau"}};
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
    option("schedule", schedule, "of the learning rate: constant, step, cosine, one_cycle or plateau");
    option("warmup", warmup, "epochs over which the rate grows from 0, linearly; one_cycle: 0 means 3 tenths of all");
    option("step_epochs", step_epochs, "step: epochs between reductions; plateau: epochs without a better validation");
    option("step_factor", step_factor, "step, plateau: what each reduction multiplies by");
    option("cosine_epochs", cosine_epochs, "cosine: epochs to reach 0; 0 means all of them");
  }
};

/// The learning rate at time `epoch`, a fraction between two epochs, of a training of `epochs` epochs.
///
/// one_cycle (Smith & Topin 2018, as PyTorch has it) grows by a cosine from 1/25 of the rate over `warmup` epochs, and
/// falls by another to 4e-6 of it.
/// @param reductions  that plateau has made so far
double learning_rate(const ScheduleOptions& options, double epoch, std::int64_t epochs, std::int64_t reductions = 0);

}  // namespace locum::operators
