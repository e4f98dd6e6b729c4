#include "corrected_equation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <algorithm>

namespace locum::physics {

CorrectedEquation::CorrectedEquation(const PeriodicEquation& base, const std::vector<Correction>& corrections,
                                     const Grid& grid)
    : base_(base)
{
  const auto state = base.state();
  Vocabulary known{.fields = state, .axes = {}};
  for (const DiagnosticField& field : base.diagnostics(grid)) known.fields.push_back(field.name);
  for (const Axis& axis : grid.axes) known.axes.push_back(axis.name);
  const auto is_field = [&](const Factor& factor) {
    return std::find(known.fields.begin(), known.fields.end(), factor.name) != known.fields.end();
  };

  linear_.resize(state.size());
  given_.resize(state.size());
  std::vector<Polynomial> products(state.size());
  for (const Correction& correction : corrections) {
    const auto found = std::find(state.begin(), state.end(), correction.field);
    if (found == state.end())
      throw OptionError({.doing = fmt::format("correcting equation {}", base.name()),
                         .where = fmt::format("the term {}", correction.term.text()),
                         .found = fmt::format("field \"{}\"", correction.field),
                         .expected = fmt::format("one of {}", fmt::join(state, ", ")),
                         .advice = ""});
    const auto row = static_cast<std::size_t>(found - state.begin());
    for (const auto& [monomial, coefficient] : correction.term.expand(known)) {
      const bool given = std::none_of(monomial.begin(), monomial.end(), is_field);
      auto& kind = given ? given_ : monomial.size() == 1 ? linear_ : products;
      kind[row][monomial] += correction.coefficient * coefficient;
    }
  }

  std::vector<Monomial> distinct;
  for (const Polynomial& of_field : products)
    for (const auto& [monomial, coefficient] : of_field)
      if (std::find(distinct.begin(), distinct.end(), monomial) == distinct.end()) distinct.push_back(monomial);
  for (const Monomial& monomial : distinct) {
    products_.emplace_back();
    for (const Factor& factor : monomial) {
      const auto place = std::find(factors_.begin(), factors_.end(), factor);
      products_.back().push_back(static_cast<std::size_t>(place - factors_.begin()));
      if (place == factors_.end()) factors_.push_back(factor);
    }
  }
  for (const Polynomial& of_field : products) {
    coefficients_.emplace_back();
    for (const Monomial& monomial : distinct)
      coefficients_.back().push_back(of_field.contains(monomial) ? of_field.at(monomial) : 0);
  }
}

FourierForm CorrectedEquation::form(const Grid& grid) const
{
  FourierForm form = base_.form(grid);
  const auto state = base_.state();
  const auto diagnostics = base_.diagnostics(grid);
  const Tensor one = derivative(grid, std::array<int, 3>{}), zero = torch::zeros_like(one);
  const auto given = [&](const Monomial& monomial) {  // coordinates at points
    Tensor values = torch::ones(grid.shape(), torch::kFloat64);
    for (const Factor& factor : monomial)
      for (std::size_t axis = 0; axis < grid.axes.size(); ++axis)
        if (grid.axes[axis].name == factor.name) {
          std::vector<std::int64_t> shape(grid.axes.size(), 1);
          shape[axis] = -1;
          values = values * grid.coordinates(axis).view(shape);
        }
    return to_modes(values.unsqueeze(0).unsqueeze(0))[0][0];
  };
  // A factor's modes are row · û + mean.
  const auto row_and_mean = [&](const Factor& factor) -> std::pair<Tensor, Tensor> {
    std::vector<Tensor> row(state.size(), zero);
    if (const auto own = std::find(state.begin(), state.end(), factor.name); own != state.end()) {
      row[static_cast<std::size_t>(own - state.begin())] = derivative(grid, factor.derivatives);
      return {torch::stack(row), zero};
    }
    for (const DiagnosticField& field : diagnostics)
      if (field.name == factor.name) {
        const Tensor symbol = derivative(grid, factor.derivatives);
        return {field.expand.defined() ? symbol * field.expand : torch::stack(row),
                field.mean.defined() ? symbol * field.mean : zero};
      }
    return {torch::stack(row), given({factor})};
  };

  std::vector<Tensor> linear, forcing;
  for (std::size_t field = 0; field < state.size(); ++field) {
    linear.push_back(form.linear[static_cast<std::int64_t>(field)]);
    forcing.push_back(form.forcing.defined() ? form.forcing[static_cast<std::int64_t>(field)] : zero);
    for (const auto& [monomial, coefficient] : linear_[field]) {
      const auto [row, mean] = row_and_mean(monomial.front());
      linear.back() = linear.back() + coefficient * row;
      forcing.back() = forcing.back() + coefficient * mean;
    }
    for (const auto& [monomial, coefficient] : given_[field])
      forcing.back() = forcing.back() + coefficient * given(monomial);
  }
  form.linear = torch::stack(linear);
  form.forcing = torch::stack(forcing);
  if (products_.empty()) return form;

  // Our factors and products come before the equation's own.
  std::vector<Tensor> rows, means, contract;
  for (const Factor& factor : factors_) {
    const auto [row, mean] = row_and_mean(factor);
    rows.push_back(row);
    means.push_back(mean);
  }
  for (const auto& of_field : coefficients_) {
    std::vector<Tensor> entries;
    for (const double coefficient : of_field) entries.push_back(coefficient * one);
    contract.push_back(torch::stack(entries));
  }
  const Tensor base_mean = form.mean.defined() ? form.mean : torch::zeros_like(form.expand.select(1, 0));
  form.expand = torch::cat({torch::stack(rows), form.expand});
  form.mean = torch::cat({torch::stack(means), base_mean});
  form.contract = torch::cat({torch::stack(contract), form.contract}, 1);
  return form;
}

template <class Number>
void CorrectedEquation::multiply_numbers(const Number* const* factors, Number* const* products,
                                         std::int64_t points) const
{
  for (std::size_t product = 0; product < products_.size(); ++product) {
    const auto& of = products_[product];
    const Number* const first = factors[of[0]];
    const Number* const second = factors[of[1]];
    Number* const out = products[product];
    for (std::int64_t point = 0; point < points; ++point) out[point] = first[point] * second[point];
    for (std::size_t i = 2; i < of.size(); ++i) {
      const Number* const next = factors[of[i]];
      for (std::int64_t point = 0; point < points; ++point) out[point] *= next[point];
    }
  }
  base_.multiply(factors + factors_.size(), products + products_.size(), points);
}

void CorrectedEquation::multiply(const double* const* factors, double* const* products, std::int64_t points) const
{
  multiply_numbers(factors, products, points);
}

void CorrectedEquation::multiply(const float* const* factors, float* const* products, std::int64_t points) const
{
  multiply_numbers(factors, products, points);
}

std::vector<Tensor> CorrectedEquation::multiply(const std::vector<Tensor>& factors) const
{
  std::vector<Tensor> products;
  for (const auto& of : products_) {
    products.push_back(factors[of.front()]);
    for (std::size_t i = 1; i < of.size(); ++i) products.back() = products.back() * factors[of[i]];
  }
  const auto own = base_.multiply({factors.begin() + static_cast<std::ptrdiff_t>(factors_.size()), factors.end()});
  products.insert(products.end(), own.begin(), own.end());
  return products;
}

}  // namespace locum::physics
