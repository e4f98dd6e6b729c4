#include "communicator.hpp"

namespace locum {

Communicator::Communicator(MPI_Comm comm) : comm_(comm)
{
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
}

void Communicator::barrier() const
{
  if (size_ > 1) MPI_Barrier(comm_);
}

int Communicator::minimum(int value) const
{
  if (size_ > 1) MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MIN, comm_);
  return value;
}

double Communicator::maximum(double value) const
{
  if (size_ > 1) MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm_);
  return value;
}

std::int64_t Communicator::sum(std::int64_t value) const
{
  if (size_ > 1) MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_SUM, comm_);
  return value;
}

std::string Communicator::broadcast(std::string value, int root) const
{
  if (size_ == 1) return value;
  int length = static_cast<int>(value.size());
  MPI_Bcast(&length, 1, MPI_INT, root, comm_);
  value.resize(static_cast<std::size_t>(length));
  MPI_Bcast(value.data(), length, MPI_CHAR, root, comm_);
  return value;
}

std::vector<std::string> Communicator::gather(const std::string& value) const
{
  std::vector<std::string> all;
  for (int rank = 0; rank < size_; ++rank) all.push_back(broadcast(rank == rank_ ? value : std::string{}, rank));
  return all;
}

}  // namespace locum
