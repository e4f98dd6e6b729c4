#include "ensemble.hpp"

#include <locum/core/error.hpp>

namespace locum::assimilation {

StateLayout::StateLayout(const Sample& example, std::vector<std::string> fields)
    : example_(example.members(0, 1)), fields_(std::move(fields))
{
  const auto shape = example_.grid().shape();
  points_ = 1;
  for (const auto extent : shape) points_ *= extent;
  for (const std::string& name : fields_) {
    const std::int64_t components = example_.field(name).values.size(1);
    first_.push_back(variables_);
    components_.push_back(components);
    variables_ += components * points_;
  }
}

static std::size_t position_of(const std::vector<std::string>& fields, const std::string& name)
{
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i] == name) return i;
  const auto nearest = nearest_name(name, fields);
  std::string known;
  for (const std::string& field : fields) known += (known.empty() ? "" : ", ") + field;
  throw DataError({.doing = "looking for a field of the state",
                   .where = name,
                   .found = "no such field",
                   .expected = "one of " + known,
                   .advice = nearest.empty() ? "" : nearest});
}

std::int64_t StateLayout::first_variable(const std::string& field) const { return first_[position_of(fields_, field)]; }

std::int64_t StateLayout::components(const std::string& field) const
{
  return components_[position_of(fields_, field)];
}

bool StateLayout::operator==(const StateLayout& other) const
{
  return fields_ == other.fields_ && components_ == other.components_ && grid() == other.grid();
}

Matrix StateLayout::pack(const Sample& states) const
{
  const std::int64_t members = states.batch();
  Matrix packed(members, variables_);
  const auto all = torch::from_blob(packed.data(), {members, variables_}, torch::kFloat64);
  for (std::size_t i = 0; i < fields_.size(); ++i)
    all.narrow(1, first_[i], components_[i] * points_).copy_(states.field(fields_[i]).values.reshape({members, -1}));
  return packed;
}

Sample StateLayout::unpack(const Eigen::Ref<const Matrix>& members, double time) const
{
  Sample states = example_;
  states.time = time;
  const auto all = torch::from_blob(const_cast<double*>(members.data()), {members.rows(), variables_},
                                    {members.outerStride(), 1}, torch::kFloat64);
  auto shape = example_.grid().shape();
  shape.insert(shape.begin(), {members.rows(), 0});
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    shape[1] = components_[i];
    states.fields[fields_[i]].values = all.narrow(1, first_[i], components_[i] * points_).clone().view(shape);
  }
  for (auto& [name, field] : states.fields)
    if (field.values.size(0) != members.rows()) {
      auto sizes = field.values.sizes().vec();
      sizes[0] = members.rows();
      field.values = field.values.expand(sizes);
    }
  for (auto& [name, scalar] : states.scalars) scalar.values = scalar.values.expand({members.rows()});
  return states;
}

Tensor as_tensor(const Matrix& matrix)
{
  return torch::from_blob(const_cast<double*>(matrix.data()), {matrix.rows(), matrix.cols()}, torch::kFloat64);
}

Matrix as_matrix(const Tensor& tensor)
{
  const Tensor values = tensor.to(torch::kFloat64).contiguous();
  return Eigen::Map<const Matrix>(values.data_ptr<double>(), values.size(0), values.size(1));
}

RowVector mean_of(const Eigen::Ref<const Matrix>& members, const Vector& weights)
{
  if (weights.size() == 0) return members.colwise().mean();
  return weights.transpose() * members;
}

Matrix anomalies_of(const Eigen::Ref<const Matrix>& members) { return members.rowwise() - mean_of(members); }

RowVector variance_of(const Eigen::Ref<const Matrix>& members, const Vector& weights)
{
  if (members.rows() < 2) return RowVector::Zero(members.cols());
  if (weights.size() > 0) {
    const Matrix anomalies = members.rowwise() - mean_of(members, weights);
    const double rest = 1 - weights.squaredNorm();  // 0 if one member is all there is
    return weights.transpose() * anomalies.cwiseAbs2() / (rest > 1e-12 ? rest : 1);
  }
  return anomalies_of(members).colwise().squaredNorm() / static_cast<double>(members.rows() - 1);
}

}  // namespace locum::assimilation
