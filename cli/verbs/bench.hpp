#pragma once
#include "verbs.hpp"

namespace locum::cli {

/// Times the steps of a reference solver, by name of its equation. @throws OptionError  naming what can be measured.
void bench_solver(const BenchRequest& request);

}  // namespace locum::cli
