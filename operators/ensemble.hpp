#pragma once
#include <vector>

#include "surrogate.hpp"

namespace locum::operators {

/// Surrogates of one map, trained from other weights or on other samples, as one: where they do not agree, they have
/// not learnt enough. (Lakshminarayanan et al., NeurIPS 2017: deep ensembles.) A single surrogate is an ensemble, too.
class SurrogateEnsemble : public SteadySolver {
 public:
  /// @throws OptionError  if there is no member, or one of them reads or predicts something else
  explicit SurrogateEnsemble(std::vector<Surrogate> members);
  /// The surrogates in some checkpoints.
  static SurrogateEnsemble load(const std::vector<std::filesystem::path>& checkpoints);

  std::string description() const override;
  /// The mean of what the members predict; of several, beside each field u their standard deviation u_std.
  /// @throws as Surrogate::solve()
  Sample solve(const Sample& problem) override;

  std::vector<Surrogate>& members() noexcept { return members_; }
  void to(torch::Device device);

 private:
  std::vector<Surrogate> members_;
};

/// Mean and, of several, deviation (as n − 1 divides) of what members predict: u and u_std of every field u.
/// @param predictions  one or more samples of the same fields
Sample mean_of(const std::vector<Sample>& predictions);

}  // namespace locum::operators
