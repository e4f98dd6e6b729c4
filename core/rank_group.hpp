#pragma once
#include "communicator.hpp"

namespace locum {

/// Some of the ranks of a communicator, together in one of their own as long as this object lives.
class RankGroup {
 public:
  /// Ranks that say the same number are together. Collective.
  RankGroup(const Communicator& all, int own);
  ~RankGroup();
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  const int number;
  Communicator ranks;
};

}  // namespace locum
