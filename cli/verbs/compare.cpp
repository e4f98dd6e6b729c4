#include <locum/core/error.hpp>
#include <locum/io/case_file.hpp>
#include <locum/io/figures/figure.hpp>
#include <locum/operators/surrogate.hpp>

#include <set>

#include "../record.hpp"
#include "../table.hpp"
#include "verbs.hpp"

namespace locum::cli {

namespace fs = std::filesystem;

void compare(const std::vector<fs::path>& runs, const fs::path& picture)
{
  std::vector<OptionTable> cases;
  std::set<std::string> keys;
  std::vector<std::vector<std::string>> rows = {{"run"}, {"validation, best"}, {"epochs"}, {"seconds"}, {"parameters"}};
  std::vector<io::Curve> curves;
  for (const fs::path& run : runs) {
    cases.push_back(io::read_case_file(run / "case.toml"));
    for (const auto& [key, entry] : cases.back().entries()) keys.insert(key);
    const RunRecord record = record_of(run);
    const bool validated = std::isfinite(record.best_validation);
    rows[0].push_back(run.string());
    rows[1].push_back(validated ? fmt::format("{:.4f}", record.best_validation) : "–");
    rows[2].push_back(std::to_string(record.epochs));
    rows[3].push_back(fmt::format("{:.1f}", record.seconds));
    rows[4].push_back(
        fs::exists(run / "best.h5") ? std::to_string(operators::Surrogate::load(run / "best.h5").parameters()) : "–");
    curves.push_back({.name = run.string() + (validated ? "" : ", training loss"),
                      .x = record.epoch,
                      .y = validated ? record.validation : record.training_loss});
  }
  for (const std::string& key : keys) {
    std::vector<std::string> row = {key};
    for (const OptionTable& table : cases) {
      const OptionEntry* entry = table.find(key);
      row.push_back(entry ? to_toml(entry->value) : "–");
    }
    if (std::set<std::string>(row.begin() + 1, row.end()).size() > 1) rows.push_back(std::move(row));
  }
  fmt::print("{}\n", table(rows));
  io::draw_curves(picture, curves, {.title = "", .x = "epoch", .y = "validation, relative L2", .log_y = true});
  fmt::print("{}\n", picture.string());
}

}  // namespace locum::cli
