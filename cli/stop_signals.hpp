#pragma once
#include <string>

namespace locum::cli {

/// While it lives, SIGTERM and SIGUSR1, the warnings of batch systems, ask for an end instead of making one: the work
/// that is going on looks at requested() and leaves its state in files.
class StopSignals {
 public:
  /// @param message  what is said when one arrives; of one rank, "" on others
  explicit StopSignals(std::string message);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  static bool requested();
};

/// Exit status of a program that was told to stop and can be started again: EX_TEMPFAIL of sysexits.h.
constexpr int stopped_status = 75;

/// Thrown through a verb when it has stopped and its files are in order.
struct Stopped {};

}  // namespace locum::cli
