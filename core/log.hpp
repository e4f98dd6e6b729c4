#pragma once
#include <spdlog/spdlog.h>

#include <filesystem>
#include <memory>

#include "communicator.hpp"

namespace locum {

/// Where a run says what it does. Passed to whoever speaks; nothing in the library uses spdlog's default logger.
using Log = std::shared_ptr<spdlog::logger>;

/// A log that rank 0 writes to the terminal (stderr, plain text) and, if `file` is not empty, appends to `file` with
/// time stamps; on other ranks it is silent. Not collective.
/// @throws SystemError  if the file cannot be opened.
Log open_log(const Communicator& ranks, const std::filesystem::path& file = {});

/// The same without a terminal: the log of one of many runs at the same time.
Log open_quiet_log(const std::filesystem::path& file);

/// Whether a log is written to the terminal.
bool is_on_terminal(const Log& log);

/// A log that says nothing: for tests and programs that speak for themselves.
Log silent_log();

}  // namespace locum
