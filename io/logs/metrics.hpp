#pragma once
#include <unistd.h>
#include <locum/core/handle.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace locum::io {

/// What a run measures. NaN and infinities, which JSON has not, are written as null.
using Metric = std::variant<double, std::int64_t, std::string>;

/// Appends JSON lines to a file, one object a line:
///     log.append({{"epoch", 3}, {"train_loss", 0.012}});    →  {"epoch":3,"train_loss":0.012}
/// Each line is a single write, so that a killed run loses at most its last line and a reader may follow the file.
/// Not collective: one rank writes.
class MetricsLog {
 public:
  /// Opens `file`, keeping what an earlier run wrote; a torn last line is ended, for readers to skip.
  /// @throws SystemError  if the file cannot be opened.
  explicit MetricsLog(std::filesystem::path file);

  /// @throws SystemError  if the line could not be written whole: disk full, quota.
  void append(const std::vector<std::pair<std::string, Metric>>& metrics);

 private:
  void write(const std::string& text);

  std::filesystem::path path_;
  Handle<int, -1, ::close> file_;
};

/// The numbers a MetricsLog wrote, by the value of "epoch". Of two lines of one epoch (a run killed between its line
/// and its checkpoint does the epoch again) the later counts; torn lines are skipped; null is NaN.
/// @throws SystemError  if the file cannot be read.
std::map<std::int64_t, std::map<std::string, double>> read_epochs(const std::filesystem::path& file);

/// Adds to the flat JSON object in `file`, replacing metrics of the same names; the file is replaced atomically.
/// @throws SystemError  if the file cannot be written.
/// @throws DataError    if what is there is not a JSON object.
void add_to_summary(const std::filesystem::path& file, const std::map<std::string, Metric>& metrics);

}  // namespace locum::io
