#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <string>

namespace locum::operators {

using torch::Tensor;

/// Errors of predictions as the literature reports them, over samples that come piece after piece.
///
/// For channel c of sample b, e = p − t, and with means over points ⟨·⟩:
///     rmse           ⟨e²⟩^½, mean over samples
///     nrmse          ⟨e²⟩^½ / ⟨t²⟩^½, mean over samples
///     vrmse          (⟨e²⟩ / (var t + 1e-7))^½, mean over samples: 1 for the mean of the field (The Well)
///     max_error      the largest |e| of all
///     boundary_rmse  rmse over the outermost points of every axis
///     conserved_rmse root of the mean over samples of ⟨e⟩²: what is wrong with the total
///     frmse_low, frmse_mid, frmse_high
///                    mean over whole wave numbers κ below 4, below 12, and above of (mean over samples of
///                    Σ |ê_k|², k ≥ 0, κ ≤ |k| < κ + 1)^½, ê = F e / points
/// and of each of them the mean over channels. So they are defined in PDEBench (Takamoto et al., NeurIPS 2022) and The
/// Well (Ohana et al., NeurIPS 2024).
class ErrorStatistics {
 public:
  /// @param prediction, truth  [batch, channel, (z, y,) x]
  void add(const Tensor& prediction, const Tensor& truth);

  /// By the names above. At least one sample must have been added.
  std::map<std::string, double> results() const;

 private:
  std::map<std::string, Tensor> sums_;  // over samples, [channel]
  Tensor largest_;                      // [channel]
  Tensor shells_;                       // sum over samples, [channel, wave number]
  std::int64_t samples_ = 0;
};

/// Pearson's correlation of prediction and truth over channels and points, sample by sample.
/// @param prediction, truth  [batch, channel, (z, y,) x]
/// @return                   [batch], float64; 0 where one of them is constant
Tensor correlation_of(const Tensor& prediction, const Tensor& truth);

/// How long a roll-out stays with the truth: the time of the first step at which the correlation, the mean over
/// samples, is below `threshold`; that of the last step if none is. (Lippe et al., PDE-Refiner, NeurIPS 2023.)
/// @param correlations  of each step, [step]; the first one is one interval from the start
/// @param interval      of time between steps
double correlation_time(const Tensor& correlations, double interval, double threshold);

/// The interval that holds the mean of `errors` with a probability of 95 %: the percentile bootstrap (Efron 1979) with
/// 2000 draws. The same numbers give the same interval.
/// @param errors  [sample]
std::pair<double, double> confidence_of_mean(const Tensor& errors);

}  // namespace locum::operators
