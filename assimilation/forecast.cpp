#include "forecast.hpp"

#include <fmt/ranges.h>
#include <mpi.h>
#include <locum/core/agree.hpp>
#include <locum/core/random.hpp>

#include <cmath>
#include <limits>

namespace locum::assimilation {

Matrix normal(std::uint64_t seed, const char* purpose, std::int64_t index, std::int64_t rows, std::int64_t columns)
{
  return as_matrix(RandomStream(seed, purpose, static_cast<std::uint64_t>(index)).normal({rows, columns}));
}

std::int64_t first_row(std::int64_t rows, int rank, int ranks) { return rows * rank / ranks; }

void share_rows(const Communicator& ranks, Matrix& rows)
{
  if (ranks.size() == 1) return;
  MPI_Datatype row;
  MPI_Type_contiguous(static_cast<int>(rows.cols()), MPI_DOUBLE, &row);
  MPI_Type_commit(&row);
  std::vector<int> counts, first;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    first.push_back(static_cast<int>(first_row(rows.rows(), rank, ranks.size())));
    counts.push_back(static_cast<int>(first_row(rows.rows(), rank + 1, ranks.size())) - first.back());
  }
  MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, rows.data(), counts.data(), first.data(), row, ranks.raw());
  MPI_Type_free(&row);
}

Forecast::Forecast(EvolvingSolver& model, StateLayout layout, ForecastOptions options, std::uint64_t seed,
                   const Communicator& ranks, Log log)
    : model_(model), layout_(std::move(layout)), options_(options), seed_(seed), ranks_(ranks), log_(std::move(log))
{
}

Matrix Forecast::advance_those(const Eigen::Ref<const Matrix>& members, double time, double duration) const
{
  torch::NoGradGuard no_gradients;
  if (members.rows() == 0) return members;
  try {
    return layout_.pack(model_.advance(layout_.unpack(members, time), duration));
  } catch (const SolverError&) {
    if (options_.blow_up == BlowUp::stop) throw;
  }
  // Which of them was it? Each on its own.
  Matrix after(members.rows(), members.cols());
  for (Eigen::Index i = 0; i < members.rows(); ++i) try {
      after.row(i) = layout_.pack(model_.advance(layout_.unpack(members.row(i), time), duration));
    } catch (const SolverError&) {
      after.row(i).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
  return after;
}

void Forecast::replace_lost(Matrix& members, std::int64_t cycle) const
{
  std::vector<std::int64_t> lost, left;
  for (Eigen::Index i = 0; i < members.rows(); ++i) (members.row(i).allFinite() ? left : lost).push_back(i);
  if (lost.empty()) return;
  const std::string which =
      fmt::format("member{} {} of {}", lost.size() > 1 ? "s" : "", fmt::join(lost, ", "), members.rows());
  if (options_.blow_up == BlowUp::stop || left.empty())
    throw SolverError({.doing = fmt::format("forecasting cycle {}", cycle),
                       .where = model_.description(),
                       .found = which + " no longer finite",
                       .expected = left.empty() ? "at least one member that is" : "finite members",
                       .advice = left.empty() ? "shorter steps, more observations, or less inflation"
                                              : "shorter steps, less inflation, or blow_up = \"replace\""});
  RandomStream random(seed_, "members in place of lost ones", static_cast<std::uint64_t>(cycle));
  const Tensor drawn = random.uniform({static_cast<std::int64_t>(lost.size())});
  for (std::size_t i = 0; i < lost.size(); ++i) {
    const auto chosen =
        static_cast<std::size_t>(drawn[static_cast<std::int64_t>(i)].item<double>() * static_cast<double>(left.size()));
    members.row(lost[i]) = members.row(left[std::min(chosen, left.size() - 1)]);
  }
  if (ranks_.is_root()) log_->warn("cycle {}: {} blew up and became another", cycle, which);
}

Matrix Forecast::advance(const Matrix& members, double time, double duration, std::int64_t cycle) const
{
  Matrix after(members.rows(), members.cols());
  const auto first = first_row(members.rows(), ranks_.rank(), ranks_.size());
  const auto count = first_row(members.rows(), ranks_.rank() + 1, ranks_.size()) - first;
  agree(ranks_, [&] {
    if (count > 0) after.middleRows(first, count) = advance_those(members.middleRows(first, count), time, duration);
  });
  share_rows(ranks_, after);
  replace_lost(after, cycle);
  if (options_.model_error > 0)
    after +=
        options_.model_error * std::sqrt(duration) * normal(seed_, "model error", cycle, after.rows(), after.cols());
  return after;
}

}  // namespace locum::assimilation
