#include "discovery.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/physics/periodic/periodic_equation.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace locum::assimilation {

using physics::Factor;
using physics::Formula;
using physics::Monomial;

/// u^p ∂^d u of every field along every axis, but 1 and what is there already.
static std::vector<Formula> products(const DiscoveryOptions& options, const std::vector<std::string>& state,
                                     const Grid& grid)
{
  std::vector<std::string> texts;
  for (const std::string& field : state)
    for (const Axis& axis : grid.axes)
      for (std::int64_t d = 0; d <= options.derivative; ++d)
        for (std::int64_t p = 0; p <= options.power; ++p) {
          const std::string power = p == 0 ? "" : p == 1 ? field : fmt::format("{}^{}", field, p);
          std::string text = power;
          if (d > 0) {
            text = fmt::format("d{}({})", std::string(static_cast<std::size_t>(d), axis.name[0]), field);
            if (p > 0) text = power + "*" + text;
          }
          if (!text.empty() && std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
        }
  std::vector<Formula> terms;
  for (const std::string& text : texts) terms.push_back(Formula::parse(text));
  return terms;
}

Library::Library(const DiscoveryOptions& options, const Sample& sample, const std::vector<std::string>& state)
    : options_(options), grid_(sample.grid())
{
  const auto require = [](bool condition, const char* option, const std::string& found, const char* expected) {
    if (!condition)
      throw OptionError({.doing = "setting up the library of terms",
                         .where = fmt::format("discovery.{}", option),
                         .found = found,
                         .expected = expected,
                         .advice = ""});
  };
  require(options.power >= 0 && options.power < 10, "power", fmt::format("{}", options.power), "from 0 to 9");
  require(options.derivative >= 0 && options.derivative < 10, "derivative", fmt::format("{}", options.derivative),
          "from 0 to 9");
  require(options.margin.empty() || options.margin.size() == grid_.axes.size(), "margin",
          fmt::format("{}", to_string(options.margin)), "a number for each axis of the grid, or []");
  for (std::size_t axis = 0; axis < options.margin.size(); ++axis)
    require(options.margin[axis] >= 0 && 2 * options.margin[axis] < grid_.axes[axis].points, "margin",
            to_string(options.margin), "less than half of the grid's points");
  require(!options.thresholds.empty() &&
              std::all_of(options.thresholds.begin(), options.thresholds.end(), [](double t) { return t >= 0; }),
          "thresholds", fmt::format("[{}]", fmt::join(options.thresholds, ", ")), "numbers, none negative");
  require(options.refinements >= 0, "refinements", fmt::format("{}", options.refinements), "at least 0");
  require(options.tolerance > 0, "tolerance", fmt::format("{}", options.tolerance), "above 0");

  physics::Vocabulary known;
  const auto is_part = [&](const std::string& name) {  // of a field's increments
    const auto end = name.rfind('_');
    return end != std::string::npos && sample.fields.contains(name.substr(0, end)) &&
           sample.fields.contains(name.substr(0, end) + "_increment");
  };
  for (const auto& [name, field] : sample.fields)
    if (field.values.size(1) == 1 && !is_part(name)) known.fields.push_back(name);
  for (const Axis& axis : grid_.axes) known.axes.push_back(axis.name);
  if (options.terms.empty()) terms_ = products(options, state, grid_);
  for (const std::string& text : options.terms) terms_.push_back(Formula::parse(text));
  for (const Formula& term : terms_) {
    expanded_.push_back(term.expand(known));
    for (const auto& [monomial, coefficient] : expanded_.back())
      for (const Factor& factor : monomial)
        if (std::any_of(factor.derivatives.begin(), factor.derivatives.end(), [](int n) { return n > 0; }))
          differentiate(torch::zeros_like(sample.field(factor.name).values.narrow(0, 0, 1).select(1, 0)), grid_,
                        factor.derivatives, options.derivatives, options.order);  // what it cannot do, it says now
  }
  if (!options.support.empty()) test_functions_.emplace_back(grid_, options.support, options.smoothness);
}

/// Values at points, or integrals, where they are looked at: [row].
Tensor Library::rows(const Tensor& values) const
{
  Tensor kept = values;
  for (std::size_t axis = 0; axis < grid_.axes.size(); ++axis) {
    const auto dim = static_cast<std::int64_t>(axis) + 1;
    // Of centres next to each other one integral says little more than the other.
    const std::int64_t half_width = test_functions_.empty() ? 0 : test_functions_.front().half_width(axis);
    const std::int64_t lost = (grid_.axes[axis].points - values.size(dim)) / 2;  // centres too near to an edge
    const std::int64_t margin = options_.margin.empty() ? 0 : std::max<std::int64_t>(options_.margin[axis] - lost, 0);
    kept = kept.slice(dim, margin, values.size(dim) - margin, std::max<std::int64_t>(half_width / 4, 1));
  }
  return kept.reshape(-1);
}

Tensor Library::at_points(const Sample& sample, const Factor& factor) const
{
  if (sample.fields.contains(factor.name))
    return differentiate(sample.field(factor.name).values.select(1, 0).to(torch::kFloat64), grid_, factor.derivatives,
                         options_.derivatives, options_.order);
  std::vector<std::int64_t> shape(grid_.axes.size() + 1, 1);
  for (std::size_t axis = 0; axis < grid_.axes.size(); ++axis)
    if (grid_.axes[axis].name == factor.name) {
      shape[axis + 1] = -1;
      return grid_.coordinates(axis).view(shape);
    }
  return {};
}

/// Without modes of two thirds of the highest and above, as the periodic solver's products: their aliases would not be
/// in any increment.
Tensor Library::without_aliases(const Tensor& values) const
{
  if (options_.derivatives != Differentiation::spectral) return values;
  Tensor mask = torch::ones({}, torch::kFloat64);
  for (std::size_t axis = 0; axis < grid_.axes.size(); ++axis) {
    const Tensor k = physics::wave_numbers(grid_, axis) * (grid_.axes[axis].spacing / (2 * M_PI));
    mask = mask * (3 * k.abs() < 1 - 1e-9).to(torch::kFloat64);
  }
  return physics::from_modes(physics::to_modes(values.unsqueeze(1)) * mask, grid_).squeeze(1);
}

Tensor Library::monomial(const Sample& sample, Monomial factors) const
{
  auto shape = grid_.shape();
  shape.insert(shape.begin(), sample.batch());
  const auto product = [&] {
    Tensor values = torch::ones(shape, torch::kFloat64);
    std::int64_t fields = 0;
    for (const Factor& factor : factors) fields += sample.fields.contains(factor.name) ? 1 : 0;
    for (const Factor& factor : factors) {
      const Tensor own = at_points(sample, factor);
      values = values * (fields > 1 && sample.fields.contains(factor.name) ? without_aliases(own) : own);
    }
    return fields > 1 ? without_aliases(values) : values;
  };
  if (test_functions_.empty()) return rows(product());

  // A lone factor's derivatives are the test functions'; so is the last of g^m ∂g = ∂g^(m+1) / (m + 1).
  std::array<int, 3> moved = {};
  double scale = 1;
  if (factors.size() == 1) std::swap(moved, factors.front().derivatives);
  else if (!factors.empty())
    for (std::size_t axis = 0; axis < 3 && scale == 1; ++axis)
      for (const Factor& candidate : factors) {
        Factor lower = candidate;
        if (--lower.derivatives[axis] < 0) continue;
        const auto alike = std::count(factors.begin(), factors.end(), lower);
        if (static_cast<std::size_t>(alike) + 1 != factors.size()) continue;
        scale = 1 / static_cast<double>(factors.size());
        factors.assign(factors.size(), lower);
        moved[axis] = 1;
        break;
      }
  return rows(test_functions_.front().integrate(product(), moved)) * scale;
}

/// float64 [row] or [row, column] as Eigen has it.
static Eigen::MatrixXd to_matrix(const Tensor& values)
{
  const Tensor plain = values.dim() == 1 ? values.unsqueeze(1).contiguous() : values.contiguous();
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Rows>(plain.data_ptr<double>(), plain.size(0), plain.size(1));
}

Eigen::MatrixXd Library::columns(const Sample& sample) const
{
  std::map<Monomial, Tensor> known;
  std::vector<Tensor> columns;
  for (const auto& polynomial : expanded_) {
    Tensor column;
    for (const auto& [factors, coefficient] : polynomial) {
      if (!known.contains(factors)) known[factors] = monomial(sample, factors);
      const Tensor part = known[factors] * coefficient;
      column = column.defined() ? column + part : part;
    }
    if (!column.defined()) column = torch::zeros_like(rows(sample.fields.begin()->second.values.select(1, 0)));
    columns.push_back(column);
  }
  return to_matrix(torch::stack(columns, 1));
}

Eigen::VectorXd Library::target(const Sample& sample, const std::string& field) const
{
  const Tensor values = sample.field(field).values.select(1, 0).to(torch::kFloat64);
  return to_matrix(rows(test_functions_.empty() ? values : test_functions_.front().integrate(values, {}))).col(0);
}

std::vector<Discovered> discover(const DiscoveryOptions& options, const Library& library, const Sample& sample,
                                 const std::vector<std::string>& fields, double interval, const Log& log)
{
  check_finite(sample, "discovering what a model lacks", "the states and increments");
  const Eigen::MatrixXd columns = library.columns(sample);
  std::vector<Discovered> found;
  for (const std::string& field : fields) {
    const RegressionProblem problem(columns, library.target(sample, field + "_increment") / interval);
    Discovered here{
        .field = field, .sweep = {}, .chosen = 0, .mean_square_of_target = problem.mean_square(), .fit = {}};
    for (const double threshold : options.thresholds) {
      here.sweep.push_back({threshold, problem.fit(options.regression, threshold, options.tolerance)});
      if (!here.sweep.back().fit.converged)
        log->warn("{}: the regression with threshold {} did not settle", field, threshold);
    }
    here.chosen = corner(here.sweep, here.mean_square_of_target);
    here.fit = here.sweep[here.chosen].fit;
    found.push_back(std::move(here));
  }
  if (std::all_of(found.begin(), found.end(), [](const Discovered& d) { return d.fit.terms() == 0; }))
    throw SolverError({.doing = "discovering what a model lacks",
                       .where = fmt::format("{} candidate terms", library.terms().size()),
                       .found = "all are pruned",
                       .expected = "terms that explain the increments",
                       .advice = fmt::format("a threshold below {}, more samples, or other terms",
                                             *std::min_element(options.thresholds.begin(), options.thresholds.end()))});
  return found;
}

void refine(Discovered& found, const Library& library, const Sample& sample, double interval)
{
  check_finite(sample, "refining what was found", "the states and increments");
  SparseFit& fit = found.fit;
  std::vector<Eigen::Index> active;
  for (Eigen::Index i = 0; i < fit.coefficients.size(); ++i)
    if (fit.coefficients[i] != 0) active.push_back(i);
  if (active.empty()) return;
  const Eigen::MatrixXd columns = library.columns(sample)(Eigen::all, active);
  const RegressionProblem problem(columns, library.target(sample, found.field + "_increment") / interval);
  const SparseFit more = problem.thresholded_least_squares(0);
  for (std::size_t i = 0; i < active.size(); ++i) {
    fit.coefficients[active[i]] += more.coefficients[static_cast<Eigen::Index>(i)];
    fit.deviations[active[i]] = more.deviations[static_cast<Eigen::Index>(i)];
  }
  fit.mean_square = more.mean_square;
  for (double& coefficient : fit.coefficients)
    if (std::abs(coefficient) < found.sweep[found.chosen].threshold / 10) coefficient = 0;
}

}  // namespace locum::assimilation
