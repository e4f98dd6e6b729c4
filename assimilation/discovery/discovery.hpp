#pragma once
#include <locum/core/log.hpp>
#include <locum/core/sample.hpp>
#include <locum/physics/formula.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "differentiation.hpp"
#include "regression.hpp"

namespace locum::assimilation {

/// What terms are looked for, and how.
struct DiscoveryOptions {
  std::vector<std::string> terms = {};
  std::int64_t power = 4;
  std::int64_t derivative = 4;
  Differentiation derivatives = Differentiation::spectral;
  std::int64_t order = 4;
  std::vector<std::int64_t> support = {};
  std::int64_t smoothness = 8;
  std::vector<std::int64_t> margin = {};
  Regression regression = Regression::relevance;
  std::vector<double> thresholds = {1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1};
  double tolerance = 0.1;
  std::int64_t refinements = 2;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("terms", terms, "candidates, as \"u*dx(u)\", \"jacobian(psi1, q1)\"; []: products u^p ∂^d u of each field");
    option("power", power, "largest p of these");
    option("derivative", derivative, "largest d of these");
    option("derivatives", derivatives, "spectral or finite_differences");
    option("order", order, "of accuracy of finite differences");
    option("support", support, "half width of test functions in points, of each axis; []: terms at points");
    option("smoothness", smoothness, "exponent of test functions (1 − s²)^smoothness");
    option("margin", margin, "points left out at either end of each axis, slowest first; []: none");
    option("regression", regression, "relevance, fast_relevance or thresholded");
    option("thresholds", thresholds, "coefficients below about this are pruned; of several the corner of the L-curve");
    option("refinements", refinements, "times the corrected model is run over the pairs, to correct its coefficients");
    option("tolerance", tolerance, "of 1 / coefficient², where the fixed point of relevance ends");
  }
};

/// Candidates for terms of one equation, all fields at points or in weak form.
class Library {
 public:
  /// @param sample  any with the fields that terms speak of: scalars on a uniform grid
  /// @param state   fields whose products are the library if the options name no terms
  /// @throws OptionError  as Formula::parse() and Formula::expand(), or if an option is out of range
  Library(const DiscoveryOptions& options, const Sample& sample, const std::vector<std::string>& state);

  const std::vector<physics::Formula>& terms() const { return terms_; }

  /// The value of every candidate where the regression looks: [row, term]. In weak form derivatives go to the test
  /// functions where a monomial is a field's, or g^m ∂g; what is left inside a product is differentiated at points.
  /// With spectral derivatives products have no aliases.
  Eigen::MatrixXd columns(const Sample& sample) const;
  /// A field there, [row].
  Eigen::VectorXd target(const Sample& sample, const std::string& field) const;

 private:
  Tensor rows(const Tensor& values) const;
  Tensor without_aliases(const Tensor& values) const;
  Tensor at_points(const Sample& sample, const physics::Factor& factor) const;
  Tensor monomial(const Sample& sample, physics::Monomial factors) const;

  DiscoveryOptions options_;
  Grid grid_;
  std::vector<physics::Formula> terms_;
  std::vector<physics::Polynomial> expanded_;
  std::vector<TestFunctions> test_functions_;  // none: at points
};

/// What was found in the equation of a field: ∂field/∂t has these terms more.
struct Discovered {
  std::string field;
  std::vector<LCurvePoint> sweep;  ///< One a threshold.
  std::size_t chosen = 0;          ///< Of the sweep.
  double mean_square_of_target = 0;
  SparseFit fit;  ///< The chosen one, later refined.
};

/// Regresses the rates that a model lacks on candidate terms, field by field.
/// @param sample  members with fields F, the state in which terms are evaluated, and F_increment, what has to be added
/// to
///                a model's F after `interval`; other fields that terms speak of
/// @throws DataError    naming member and place, if an increment is not finite
/// @throws SolverError  if no term is left of any field
std::vector<Discovered> discover(const DiscoveryOptions& options, const Library& library, const Sample& sample,
                                 const std::vector<std::string>& fields, double interval, const Log& log);

/// Adds to the coefficients found what the increments of the model corrected by them still ask for, by least squares: a
/// step of Gauss and Newton. Where it ends, the corrected model meets the observations as well as it can, however long
/// the interval; coefficients from increments alone are wrong by a multiple of the interval. What
/// falls below a tenth of the threshold is dropped.
/// @param sample  with F and F_increment of the corrected model
void refine(Discovered& found, const Library& library, const Sample& sample, double interval);

}  // namespace locum::assimilation
