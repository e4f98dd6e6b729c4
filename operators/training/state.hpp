#pragma once
#include <filesystem>
#include <limits>
#include <string>

#include "../surrogate.hpp"
#include "optimisers/optimiser.hpp"

namespace locum::operators {

/// All of a training that changes: what a checkpoint stores, so that another process goes on with the same bits.
/// Random numbers are counted, not drawn on, and the order of samples follows from the epoch: neither has a state.
class TrainingState {
 public:
  /// All must outlive this object.
  TrainingState(Surrogate& surrogate, Parameters& parameters, Optimiser& optimiser)
      : surrogate_(surrogate), parameters_(parameters), optimiser_(optimiser)
  {
  }

  std::int64_t epoch = 0;  ///< Finished ones.
  std::int64_t step = 0;   ///< Finished ones of the epoch that is going on.
  double loss = 0;         ///< Their sum over samples, of all ranks.
  double samples = 0;      ///< How many those were.
  double best_validation = std::numeric_limits<double>::infinity();
  std::int64_t epochs_since_best = 0;
  std::int64_t reductions = 0;     ///< Of the rate by the schedule `plateau`.
  std::int64_t epochs_waited = 0;  ///< Since the last of them, or the best epoch.
  Tensor average;                  ///< Running mean of the parameters, like Parameters::values; undefined: none.

  /// Writes all of it beside the surrogate with the weights it has now.
  void save(const std::filesystem::path& file, const std::string& settings) const;
  /// Writes the surrogate as it is best used: with the running mean of its weights, if there is one.
  void save_surrogate(const std::filesystem::path& file, const std::string& settings) const;
  /// @throws DataError  if the file is damaged or another optimiser's
  void load(const std::filesystem::path& file);

  /// Exchanges weights and their running mean, if there is one.
  void exchange_average();

 private:
  Surrogate& surrogate_;
  Parameters& parameters_;
  Optimiser& optimiser_;
};

/// Copies all weights of one model into another of the same kind.
void copy_weights(Operator& to, Operator& from);

/// What a run was started with against what it is to go on with; both as they are stored in a checkpoint. A longer
/// training and how often it is saved may differ: the differences are returned, for the log.
/// @throws OptionError  naming the first of the others that does, and what it means
std::string refuse_other_training(const std::filesystem::path& checkpoint, const std::string& then,
                                  const std::string& now);

}  // namespace locum::operators
