#include "command.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "support/catch.hpp"

namespace locum::tests {

namespace fs = std::filesystem;

/// Taken before main(): MPI_Init leaves variables behind that would make a child believe to be this process.
static const Words environment = [] {
  Words variables;
  for (char** variable = environ; *variable; ++variable) variables.emplace_back(*variable);
  return variables;
}();

static std::vector<char*> pointers(const Words& words)
{
  std::vector<char*> list;
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

Process::Process(const Words& words, const fs::path& folder)
{
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (scratch_ / "text").c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int failure = posix_spawnp(&pid_, words.front().c_str(), &actions, nullptr, pointers(words).data(),
                                   pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) FAIL("cannot start " << words.front() << ": error " << failure);
}

Process::~Process()
{
  if (!running()) return;
  send(SIGKILL);
  wait();
}

bool Process::running()
{
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

void Process::send(int signal) { kill(pid_, signal); }

Outcome Process::wait()
{
  using namespace std::chrono_literals;
  const auto start = std::chrono::steady_clock::now();
  while (running()) {
    std::this_thread::sleep_for(5ms);
    if (std::chrono::steady_clock::now() - start > 2min) send(SIGKILL);
  }
  return {.status = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_),
          .text = bytes_of(scratch_ / "text")};
}

Words command_words(const Words& words, int ranks)
{
  Words all;
  if (ranks > 1) all = {LOCUM_MPIEXEC, LOCUM_RANKS_FLAG, std::to_string(ranks)};
  all.emplace_back(LOCUM_COMMAND);
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Outcome command(const Words& words, const fs::path& folder, int ranks)
{
  Outcome outcome = Process(command_words(words, ranks), folder).wait();
  std::string line = "$ locum";
  for (const std::string& word : words) line += " " + word;
  UNSCOPED_INFO(line << "\n" << outcome.text << "exit status " << outcome.status);
  return outcome;
}

void write_case(const fs::path& file, const std::string& more)
{
  write_text(file,
             "[equation]\n"
             "name = \"darcy\"\n"
             "[generate]\n"
             "samples = 40\n"
             "test_samples = 10\n"
             "cells = [16, 16]\n"
             "seed = 7\n"
             "[model]\n"
             "modes = [4, 4]\n"
             "width = 8\n"
             "projection_hidden = 16\n"
             "[training]\n"
             "epochs = 2\n"
             "batch = 10\n" +
                 more);
}

const fs::path& finished()
{
  static const TemporaryFolder folder;
  if (!fs::exists(folder / "case.toml")) {
    write_case(folder / "case.toml");
    REQUIRE(command({"run", "case.toml", "--output", "run"}, folder.path()).status == 0);
  }
  return folder.path();
}

void copy_finished(const fs::path& to) { fs::copy(finished(), to, fs::copy_options::recursive); }

std::string bytes_of(const fs::path& file)
{
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_text(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

}  // namespace locum::tests
