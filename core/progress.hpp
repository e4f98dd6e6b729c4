#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "log.hpp"

namespace locum {

/// Shows how far long work has come: one line rewritten in place on a terminal, a plain line in the log from time to
/// time otherwise; with throughput and time left.
class Progress {
 public:
  /// @param task   what is being done: "training"
  /// @param total  steps in all
  /// @param unit   what a step is, in the plural: "samples"
  /// @param show   false on ranks that keep quiet
  Progress(Log log, std::string task, std::int64_t total, std::string unit, bool show = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// @param done    steps finished so far
  /// @param detail  what else to say: "loss 0.031"
  void update(std::int64_t done, const std::string& detail = "");

 private:
  using Clock = std::chrono::steady_clock;
  void erase_line();

  Log log_;
  std::string task_;
  std::int64_t total_;
  std::string unit_;
  bool show_;
  bool terminal_;
  bool line_open_ = false;
  std::int64_t first_ = -1;  // steps done at the first update: a resumed run does not count what it did not do
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_shown_ = start_;
};

/// Seconds as a person says them: "42 s", "3 min 20 s", "5 h 12 min".
std::string duration_text(double seconds);

}  // namespace locum
