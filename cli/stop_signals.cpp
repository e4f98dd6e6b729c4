#include "stop_signals.hpp"

#include <unistd.h>

#include <csignal>

namespace locum::cli {

static volatile std::sig_atomic_t stop = 0;
static std::string text;  // read by the handler, which may call no more than write()

static void ask(int)
{
  if (!stop && !text.empty()) [[maybe_unused]]
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  stop = 1;
}

StopSignals::StopSignals(std::string message)
{
  text = std::move(message);
  for (const int signal : {SIGTERM, SIGUSR1}) std::signal(signal, ask);
}

StopSignals::~StopSignals()
{
  for (const int signal : {SIGTERM, SIGUSR1}) std::signal(signal, SIG_DFL);
}

bool StopSignals::requested() { return stop != 0; }

}  // namespace locum::cli
