#include "log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>

#include "error.hpp"

namespace locum {

Log silent_log() { return std::make_shared<spdlog::logger>("locum"); }

static void add_file(const Log& log, const std::filesystem::path& file)
{
  try {
    auto lines = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
    lines->set_pattern("%Y-%m-%d %H:%M:%S %l  %v");
    log->sinks().push_back(lines);
  } catch (const spdlog::spdlog_ex& error) {
    throw SystemError({.doing = "opening the log",
                       .where = file.string(),
                       .found = error.what(),
                       .expected = "a file that can be written",
                       .advice = "--output DIR with a folder of yours"});
  }
  log->flush_on(spdlog::level::info);
}

Log open_log(const Communicator& ranks, const std::filesystem::path& file)
{
  auto log = silent_log();
  if (!ranks.is_root()) return log;

  auto terminal = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  terminal->set_pattern("%v");
  log->sinks().push_back(terminal);
  if (!file.empty()) add_file(log, file);
  log->flush_on(spdlog::level::info);
  return log;
}

Log open_quiet_log(const std::filesystem::path& file)
{
  auto log = silent_log();
  add_file(log, file);
  return log;
}

bool is_on_terminal(const Log& log)
{
  const auto& sinks = log->sinks();
  return std::any_of(sinks.begin(), sinks.end(), [](const auto& sink) {
    return std::dynamic_pointer_cast<spdlog::sinks::stderr_sink_mt>(sink) != nullptr;
  });
}

}  // namespace locum
