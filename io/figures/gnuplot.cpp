#include "gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <locum/core/error.hpp>
#include <locum/core/handle.hpp>

#include <array>
#include <cctype>
#include <cerrno>
#include <span>

#include "../atomic_file.hpp"

namespace locum::io::gnuplot {

std::string quoted(const std::string& text)
{
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += '\'';
    result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return result + "'";
}

/// "./" because gnuplot runs what follows "<" or "|" as a command, and takes what follows "-" as an option.
static std::string beside(const std::filesystem::path& png, const char* ending)
{
  return "./" + png.stem().string() + ending;
}

std::string data_of(const std::filesystem::path& png) { return quoted(beside(png, ".dat")); }

std::string canvas(const std::filesystem::path& png, double width, double height)
{
  return fmt::format(
      "set encoding utf8\n"
      "set terminal pngcairo noenhanced size {:.0f},{:.0f} font 'Helvetica,20' linewidth 2 background '#ffffff'\n"
      "set output {}\n",
      2 * width, 2 * height, quoted(beside(png, ".png")));
}

static void run(const std::filesystem::path& png)
{
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("starting gnuplot", png, errno);
  const Handle<int, -1, ::close> from_gnuplot(ends[0]);
  Handle<int, -1, ::close> to_us(ends[1]);

  const auto script = beside(png, ".gp");
  std::string arguments[] = {"gnuplot", "-d", script};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  const auto folder = png.has_parent_path() ? png.parent_path().string() : std::string(".");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, to_us.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, to_us.get(), STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(to_us.give_up());

  const auto refuse = [&](const std::string& found, const std::string& expected, const std::string& first_step) {
    throw SystemError({.doing = "drawing a figure",
                       .where = png.string(),
                       .found = found,
                       .expected = expected,
                       .advice = fmt::format("{}`gnuplot {}` in {}", first_step, script, folder)});
  };
  if (failed == ENOENT) refuse("no gnuplot on PATH", "gnuplot 5.4 or later", "`apt install gnuplot-nox`, then ");
  if (failed != 0) throw system_error("starting gnuplot", png, failed);

  std::string said;
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = ::read(from_gnuplot.get(), buffer.data(), buffer.size())) != 0;) {
    if (n > 0) said.append(buffer.data(), static_cast<std::size_t>(n));
    else if (errno != EINTR) break;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  while (!said.empty() && std::isspace(static_cast<unsigned char>(said.back()))) said.pop_back();
  refuse(said.empty() ? fmt::format("gnuplot ended with status {}", status) : said, "gnuplot to draw it", "");
}

void draw(const std::filesystem::path& png, const std::string& script, const std::string& data)
{
  const auto put = [&](const char* ending, const std::string& text) {
    write_atomically(std::filesystem::path(png).replace_extension(ending), std::as_bytes(std::span(text)));
  };
  put(".dat", data);
  put(".gp", script);
  run(png);
}

}  // namespace locum::io::gnuplot
