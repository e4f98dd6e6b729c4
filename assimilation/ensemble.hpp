#pragma once
#include <locum/core/sample.hpp>

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

namespace locum::assimilation {

/// Rows are members: [member, variable] or [member, observation].
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using RowVector = Eigen::RowVectorXd;

/// How the fields of a state lie side by side in a row of numbers: field after field, its components one after the
/// other, the points of each in the grid's order.
class StateLayout {
 public:
  /// @param example  a state; its members do not matter
  /// @param fields   those the filters see, at least one; what else a state holds stays as it is in `example`
  /// @throws DataError   if the state has no such field
  /// @throws ShapeError  if it is not on a uniform grid
  StateLayout(const Sample& example, std::vector<std::string> fields);

  std::int64_t variables() const noexcept { return variables_; }
  std::int64_t points() const noexcept { return points_; }
  const std::vector<std::string>& fields() const noexcept { return fields_; }
  const Grid& grid() const { return example_.grid(); }
  /// Where the numbers of a field begin, and how many components it has.
  /// @throws DataError  if there is no such field
  std::int64_t first_variable(const std::string& field) const;
  std::int64_t components(const std::string& field) const;

  /// [member, variable], float64.
  Matrix pack(const Sample& states) const;
  /// The inverse: states at `time`, float64.
  Sample unpack(const Eigen::Ref<const Matrix>& members, double time) const;

  bool operator==(const StateLayout& other) const;

 private:
  Sample example_;  // one member
  std::vector<std::string> fields_;
  std::vector<std::int64_t> first_, components_;  // by field
  std::int64_t variables_ = 0, points_ = 0;
};

/// A tensor [row, column] that shares memory with a matrix, and a matrix with the values of one.
Tensor as_tensor(const Matrix& matrix);
Matrix as_matrix(const Tensor& tensor);

/// Mean over members. @param weights  that sum to 1; empty: all alike. @return [variable]
RowVector mean_of(const Eigen::Ref<const Matrix>& members, const Vector& weights = {});
/// What is left of every member without the mean. @return [member, variable]
Matrix anomalies_of(const Eigen::Ref<const Matrix>& members);
/// Variance of every variable, as n − 1 divides, or 1 − Σ weights²; 0 for one member. @return [variable]
RowVector variance_of(const Eigen::Ref<const Matrix>& members, const Vector& weights = {});

}  // namespace locum::assimilation
