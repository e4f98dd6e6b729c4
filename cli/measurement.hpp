#pragma once
#include <locum/operators/ensemble.hpp>
#include <locum/operators/errors.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data.hpp"

namespace locum::cli {

/// What the deviation σ of an ensemble's members says of the error e of their mean; norms of a sample over its channels
/// and points, relative to the truth's.
struct Spread {
  double deviation = 0;  ///< ‖σ‖ / ‖t‖, mean over samples.
  double over_error = 0;  ///< ((n + 1) / n · Σ ‖σ‖² / Σ ‖e‖²)^½ of n members, sums over samples: 1 if members are as
                          ///< far from one another as from the truth (Fortin et al. 2014).
  double coverage = 0;     ///< The part of the truth within 1.96 σ of the mean: .95 if σ were that of a Gaussian.
  double correlation = 0;  ///< Of ‖σ‖ and ‖e‖ over samples: whether it knows which are hard.
};

/// How far predictions of test samples are from the truth.
struct Measurement {
  Tensor errors;                          ///< Relative L2 error of each, [sample].
  Tensor of_channels;                     ///< The same of each output channel alone, [sample, channel].
  operators::ErrorStatistics statistics;  ///< The other errors.
  std::map<std::string, Tensor> scalars;  ///< Parameters of the samples, [sample].
  std::optional<Spread> spread;           ///< Of an ensemble.
};

/// What else is made of a piece of the test samples: these, the predictions, and the outputs of both side by side.
using LookAt =
    std::function<void(const Sample& samples, const Sample& prediction, const Tensor& truth, const Tensor& predicted)>;

/// Predicts all test samples, a piece at a time.
Measurement measure(operators::SurrogateEnsemble& ensemble, const TestData& test, const LookAt& look = {});

/// Samples that are alike in one of their parameters.
struct Group {
  std::string name;  ///< "beta = 0.1", "beta 0.1 … 0.4"
  std::int64_t samples = 0;
  double error = 0;  ///< Mean relative L2 error.
};

/// The errors by parameter: a group a value if there are at most six, else a third of the samples each. Parameters that
/// are the same in all samples have no groups.
std::vector<Group> errors_by_parameter(const Measurement& measured);

}  // namespace locum::cli
