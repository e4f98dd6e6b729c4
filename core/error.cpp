#include "error.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text.hpp"

namespace locum {

static std::string message(const Report& report)
{
  std::string text = printable(report.doing);
  if (!report.where.empty()) text += ": " + printable(report.where);
  if (!report.found.empty()) text += "\n  found " + printable(report.found);
  if (!report.expected.empty())
    text += (report.found.empty() ? "\n  expected " : "; expected ") + printable(report.expected);
  if (!report.advice.empty()) text += "\n  try   " + printable(report.advice);
  return text;
}

Error::Error(Report report) : std::runtime_error(message(report)), report_(std::move(report)) {}

RankError::RankError(int rank, const std::string& message)
    : Error({.doing = fmt::format("rank {} failed", rank), .where = message, .found = "", .expected = "", .advice = ""})
{
}

/// Number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
static std::size_t edit_distance(const std::string& a, const std::string& b)
{
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& known)
{
  constexpr std::size_t longest = 200;  // bytes; a longer name, out of a file, is no slip, and the table would be huge
  if (name.size() > longest) return "";
  std::string best;
  std::size_t best_distance = name.size() / 3 + 2;  // further apart is another word, not a slip
  for (const std::string& candidate : known) {
    if (candidate.size() > longest) continue;
    const auto distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace locum
