#include "record.hpp"

#include <locum/io/logs/metrics.hpp>

#include <vector>

namespace locum::cli {

RunRecord record_of(const std::filesystem::path& run, std::int64_t up_to)
{
  RunRecord record;
  std::vector<double> epochs, losses, errors;
  for (const auto& [epoch, metrics] : io::read_epochs(run / "metrics.jsonl")) {
    if (up_to > 0 && epoch > up_to) break;
    const double error = metrics.at("validation_relative_l2");
    record.epochs = epoch;
    record.seconds += metrics.at("seconds");
    if (error < record.best_validation) record.best_validation = error;
    epochs.push_back(static_cast<double>(epoch));
    losses.push_back(metrics.at("training_loss"));
    errors.push_back(error);
  }
  record.epoch = torch::tensor(epochs, torch::kFloat64);
  record.training_loss = torch::tensor(losses, torch::kFloat64);
  record.validation = torch::tensor(errors, torch::kFloat64);
  return record;
}

}  // namespace locum::cli
