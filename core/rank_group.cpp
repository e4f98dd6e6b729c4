#include "rank_group.hpp"

namespace locum {

RankGroup::RankGroup(const Communicator& all, int own) : number(own)
{
  if (all.size() == 1) return;
  MPI_Comm comm;
  MPI_Comm_split(all.raw(), number, all.rank(), &comm);
  ranks = Communicator(comm);
}

RankGroup::~RankGroup()
{
  MPI_Comm comm = ranks.raw();
  if (comm != MPI_COMM_SELF) MPI_Comm_free(&comm);
}

}  // namespace locum
