#pragma once
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

namespace locum::tests {

using Words = std::vector<std::string>;

/// How a program ended.
struct Outcome {
  int status;        ///< What a shell would say: the exit code, or 128 + signal.
  std::string text;  ///< Standard output and error, as they came.
};

/// A program running in a folder, in the environment the test program was started in.
class Process {
 public:
  Process(const Words& words, const std::filesystem::path& folder);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool running();
  void send(int signal);
  /// Waits for its end; a program that has not ended after two minutes is killed, and says so by its status.
  Outcome wait();

 private:
  TemporaryFolder scratch_;
  pid_t pid_ = 0;
  bool ended_ = false;
  int status_ = 0;
};

/// `locum WORDS…` run in a folder; under mpiexec, if there are several ranks.
Outcome command(const Words& words, const std::filesystem::path& folder, int ranks = 1);
/// What `locum WORDS…` is to a shell, for Process.
Words command_words(const Words& words, int ranks = 1);

/// Darcy on 16 × 16 cells, 40 + 10 samples, a small Fourier operator and two epochs, with `more` in the end.
void write_case(const std::filesystem::path& file, const std::string& more = "");

/// A folder that holds case.toml and what `locum run case.toml --output run` made of it. Made once; not to be changed.
const std::filesystem::path& finished();
/// A copy of it to be changed.
void copy_finished(const std::filesystem::path& to);

std::string bytes_of(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace locum::tests
