#pragma once
#include <locum/core/solver.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace locum::assimilation {

/// What is observed of a true system.
struct TwinOptions {
  std::int64_t samples = 10;
  double spacing = 10;
  double interval = 0.005;
  double noise = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("samples", samples, "pairs of states of the truth");
    option("spacing", spacing, "time between pairs");
    option("interval", interval, "time from the first of a pair to the second, for which the model is run");
    option("noise", noise, "standard deviation of observations / that of the field");
  }
};

/// Where a model leaves the truth: pairs of observed states, and what the model makes of the first.
///
/// Members of the result are pairs. Fields F_increment are the observation at the end of the interval minus the model;
/// fields F the mean of these two. Terms that the model lacks, evaluated there, explain the increment to second order in
/// the interval as far as they commute with the model's own, which linear terms with constant coefficients do; and
/// noise in F is not correlated with that in F_increment. Fields F_start and F_end are the observations themselves.
/// Scalar "interval" is the options'. Members follow each other by `spacing` of time.
/// Source of the pairs: Mojgani, Chattopadhyay & Hassanzadeh, Chaos 32 (2022), §II.
/// @param state     of the truth, one member
/// @param fields    that are observed
/// @param seed      of the noise
/// @param progress  called with the number of pairs that are done
/// @throws SolverError, OptionError  as the solvers do, or if an option is out of range
Sample observe_model_errors(EvolvingSolver& truth, EvolvingSolver& model, const Sample& state,
                            const std::vector<std::string>& fields, const TwinOptions& options, std::uint64_t seed,
                            const std::function<void(std::int64_t)>& progress);

/// The same pairs with another model: F and F_increment as it leaves them.
/// @param pairs  as observe_model_errors() makes them
Sample with_model(EvolvingSolver& model, const Sample& pairs, const std::vector<std::string>& fields, double interval);

}  // namespace locum::assimilation
