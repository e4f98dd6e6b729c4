#pragma once
#include "../method.hpp"
#include "inflation.hpp"

namespace locum::assimilation {

/// A method that forecasts to the next observations and then changes the members at that time alone.
class Filter : public Method {
 public:
  Filter(std::int64_t members, InflationOptions inflation) : members_(members), inflation_(inflation) {}

  std::int64_t members() const override { return members_; }
  Analysis cycle(const Matrix& members, double time, std::span<const Observations> observations,
                 const Forecast& forecast, std::int64_t number) override;
  void save(io::Checkpoint& checkpoint) const override;
  void load(const io::Checkpoint& checkpoint) override;

 protected:
  /// The members with the observations known. @param forecast  members at their time, [member, variable]
  virtual Matrix analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                         std::int64_t number) = 0;

 private:
  std::int64_t members_;
  InflationOptions inflation_;
  AdaptiveInflation adaptive_;
};

}  // namespace locum::assimilation
