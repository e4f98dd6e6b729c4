#include <locum/operators/training/schedule.hpp>

#include "support/catch.hpp"

using namespace locum::operators;

TEST_CASE("schedules: warm-up, half way and end", "[operators]")
{
  ScheduleOptions options{.rate = 1, .schedule = Schedule::cosine, .warmup = 10};
  CHECK_THAT(learning_rate(options, 5, 110), WithinAbs(0.5, 1e-15));
  CHECK_THAT(learning_rate(options, 10, 110), WithinAbs(1, 1e-15));
  CHECK_THAT(learning_rate(options, 60, 110), WithinAbs(0.5, 1e-15));
  CHECK_THAT(learning_rate(options, 110, 110), WithinAbs(0, 1e-15));

  options = {.rate = 1, .schedule = Schedule::cosine, .cosine_epochs = 30};
  CHECK_THAT(learning_rate(options, 15, 15), WithinAbs(0.5, 1e-15));

  options = {.rate = 1, .schedule = Schedule::step, .step_epochs = 100, .step_factor = 0.5};
  CHECK_THAT(learning_rate(options, 99.9, 500), WithinAbs(1, 1e-15));
  CHECK_THAT(learning_rate(options, 250, 500), WithinAbs(0.25, 1e-15));

  options = {.rate = 1, .schedule = Schedule::plateau, .step_factor = 0.1};
  CHECK_THAT(learning_rate(options, 50, 100, /*reductions=*/2), WithinAbs(0.01, 1e-15));

  options = {.rate = 1, .schedule = Schedule::one_cycle};
  CHECK_THAT(learning_rate(options, 0, 100), WithinAbs(1.0 / 25, 1e-15));
  CHECK_THAT(learning_rate(options, 30, 100), WithinAbs(1, 1e-15));
  CHECK_THAT(learning_rate(options, 65, 100), WithinAbs(0.5, 1e-5));
  CHECK_THAT(learning_rate(options, 100, 100), WithinAbs(4e-6, 1e-15));
}
