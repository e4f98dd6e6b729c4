#include "log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "error.hpp"

namespace locum {

Log silent_log() { return std::make_shared<spdlog::logger>("locum"); }

Log open_log(const Communicator& ranks, const std::filesystem::path& file)
{
  auto log = silent_log();
  if (!ranks.is_root()) return log;

  auto terminal = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  terminal->set_pattern("%v");
  log->sinks().push_back(terminal);
  if (!file.empty()) try {
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
  return log;
}

}  // namespace locum
