#pragma once
#include "../method.hpp"

namespace locum::assimilation {

/// The bootstrap particle filter: members count the more the likelier the observations make them. When few still
/// count, they are drawn again, the likelier the more often, and those drawn more than once are moved by a little noise
/// so that no two are the same (regularised). For states of few variables.
///
/// Sources: Gordon, Salmond & Smith, IEE Proc. F 140 (1993); effective number 1 / Σ weights²: Liu & Chen, J. Am. Stat.
/// Assoc. 90 (1995); systematic resampling: Kitagawa, J. Comput. Graph. Stat. 5 (1996); regularisation: Musso, Oudjane
/// & Le Gland (2001), with the width of Scott (1992), `jitter` members^(−1 / (variables + 4)).
class ParticleFilter : public Method {
 public:
  /// @param resample  part of the members below which the effective number makes them be drawn again
  ParticleFilter(std::int64_t members, double jitter, double resample)
      : members_(members), jitter_(jitter), resample_(resample)
  {
  }
  std::string description() const override;
  std::int64_t members() const override { return members_; }
  /// Draws again, if that is due since the cycle before, forecasts, and weighs.
  /// @throws SolverError  if no member is anywhere near the observations
  Analysis cycle(const Matrix& members, double time, std::span<const Observations> observations,
                 const Forecast& forecast, std::int64_t number) override;
  void save(io::Checkpoint& checkpoint) const override;
  void load(const io::Checkpoint& checkpoint) override;

 private:
  Matrix draw_again(const Matrix& members, std::uint64_t seed, std::int64_t number) const;

  std::int64_t members_;
  double jitter_, resample_;
  Vector weights_;  // of the last analysis; empty: all alike
};

}  // namespace locum::assimilation
