#pragma once
#include "filter.hpp"

namespace locum::assimilation {

/// The bootstrap particle filter: members are drawn again after each analysis, the likelier the more often, and moved
/// by a little noise so that no two are the same (regularised). For states of few variables.
///
/// Sources: Gordon, Salmond & Smith, IEE Proc. F 140 (1993); systematic resampling: Kitagawa, J. Comput. Graph. Stat. 5
/// (1996); width of the noise: Musso, Oudjane & Le Gland (2001), times `jitter`.
class ParticleFilter : public Filter {
 public:
  ParticleFilter(std::int64_t members, double jitter) : Filter(members, {}), jitter_(jitter) {}
  std::string description() const override;

 protected:
  /// @throws SolverError  if no member is anywhere near the observations
  Matrix analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                 std::int64_t number) override;

 private:
  double jitter_;
};

}  // namespace locum::assimilation
