#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace locum {

std::string duration_text(double seconds)
{
  const auto s = static_cast<std::int64_t>(std::llround(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
}

Progress::Progress(Log log, std::string task, std::int64_t total, std::string unit, bool show)
    : log_(std::move(log)),
      task_(std::move(task)),
      total_(total),
      unit_(std::move(unit)),
      show_(show && !log_->sinks().empty()),
      terminal_(isatty(STDERR_FILENO) == 1 && is_on_terminal(log_))
{
}

Progress::~Progress() { erase_line(); }

void Progress::erase_line()
{
  if (line_open_) std::fputs("\r\033[K", stderr);
  line_open_ = false;
}

void Progress::update(std::int64_t done, const std::string& detail)
{
  if (!show_) return;
  const auto now = Clock::now();
  if (first_ < 0) first_ = done;
  const double since_shown = std::chrono::duration<double>(now - last_shown_).count();
  if (since_shown < (terminal_ ? 0.1 : 10)) return;
  last_shown_ = now;

  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done - first_) / seconds;
  std::string line = fmt::format("{} {:3.0f} %  {}/{} {}", task_,
                                 100.0 * static_cast<double>(done) / static_cast<double>(total_), done, total_, unit_);
  if (rate > 0)
    line += fmt::format("  {:.3g}/s  {} left", rate, duration_text(static_cast<double>(total_ - done) / rate));
  if (!detail.empty()) line += "  " + detail;
  if (terminal_) {
    std::fprintf(stderr, "\r%s\033[K", line.c_str());
    std::fflush(stderr);
    line_open_ = true;
  } else {
    log_->info(line);
  }
}

}  // namespace locum
