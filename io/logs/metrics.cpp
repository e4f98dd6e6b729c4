#include "metrics.hpp"

#include <fcntl.h>

#include <cerrno>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "../atomic_file.hpp"

namespace locum::io {

static const char* const doing = "writing metrics";

/// A message may quote a file name that is not UTF-8; JSON must be.
template <class Json>
static std::string text_of(const Json& json, int indent)
{
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

MetricsLog::MetricsLog(std::filesystem::path file)
    : path_(std::move(file)), file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666))
{
  if (!file_) throw system_error(doing, path_, errno);
  char last = '\n';
  if (const auto size = ::lseek(file_.get(), 0, SEEK_END); size > 0 && ::pread(file_.get(), &last, 1, size - 1) != 1)
    throw system_error(doing, path_, errno);
  if (last != '\n') write("\n");
}

void MetricsLog::append(const std::vector<std::pair<std::string, Metric>>& metrics)
{
  nlohmann::ordered_json line = nlohmann::ordered_json::object();
  for (const auto& [name, metric] : metrics) std::visit([&](const auto& value) { line[name] = value; }, metric);
  write(text_of(line, -1));
}

void MetricsLog::write(const std::string& text)
{
  const auto written = ::write(file_.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) throw system_error(doing, path_, written < 0 ? errno : ENOSPC);
}

std::map<std::int64_t, std::map<std::string, double>> read_epochs(const std::filesystem::path& file)
{
  std::ifstream lines(file);
  if (!lines) throw system_error("reading metrics", file, errno);
  std::map<std::int64_t, std::map<std::string, double>> epochs;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("epoch") || !json["epoch"].is_number_integer()) continue;
    auto& numbers = epochs[json["epoch"].get<std::int64_t>()];
    for (const auto& [name, value] : json.items())
      if (value.is_number() || value.is_null())
        numbers[name] = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }
  return epochs;
}

void add_to_summary(const std::filesystem::path& file, const std::map<std::string, Metric>& metrics)
{
  nlohmann::json summary = nlohmann::json::object();
  if (std::filesystem::exists(file)) summary = nlohmann::json::parse(std::ifstream(file), nullptr, false);
  if (!summary.is_object())
    throw DataError({.doing = "adding to the summary",
                     .where = file.string(),
                     .found = "no JSON object",
                     .expected = "what an earlier step wrote",
                     .advice = "delete the file"});
  for (const auto& [name, metric] : metrics) std::visit([&](const auto& value) { summary[name] = value; }, metric);
  const auto text = text_of(summary, 2);
  write_atomically(file, std::as_bytes(std::span(text)));
}

}  // namespace locum::io
