#pragma once
#include <locum/core/solver.hpp>
#include <locum/physics/equation.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "interpolation.hpp"

namespace locum::assimilation {

/// What is observed of a true system.
struct TwinOptions {
  std::int64_t samples = 10;
  double spacing = 10;
  double interval = 0.005;
  double noise = 0;
  std::vector<std::string> observed = {};
  double sensors = 1;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("samples", samples, "pairs of states of the truth");
    option("spacing", spacing, "time between pairs");
    option("interval", interval, "time from the first of a pair to the second, for which the model is run");
    option("noise", noise, "standard deviation of observations / that of the field");
    option("observed", observed, "fields that sensors see, diagnostics of the equation as well; []: its state");
    option("sensors", sensors,
           "part of the grid's points, at random, where they are; in between [discovery.interpolation] fills in");
  }
};

/// Pairs of states of a true system: members follow each other by `spacing` of time. Fields F_start and F_end are the
/// first and the second of a pair, scalar "interval" the time between.
/// Source: Mojgani, Chattopadhyay & Hassanzadeh, Chaos 32 (2022), §II.
/// @param state     of the truth, one member
/// @param fields    of the state
/// @param progress  called with the number of pairs that are done
/// @throws SolverError, OptionError  as the solver does, or if an option is out of range
Sample make_pairs(EvolvingSolver& truth, const Sample& state, const std::vector<std::string>& fields,
                  const TwinOptions& options, const std::function<void(std::int64_t)>& progress);

/// What observations make of such pairs: the fields that are observed, with white noise, where there are sensors. Mean
/// and difference of a pair are filled in between these each by itself, for the difference is what errors would be
/// large beside; then the state is found whose diagnostics they are.
/// Source: Mojgani, Chattopadhyay & Hassanzadeh, J. Adv. Model. Earth Syst. 16 (2024).
/// @param pairs  of `equation`'s state
/// @param seed   of noise, sensors and interpolation
/// @return       the pairs, as far as is known
/// @throws OptionError  if an option is out of range, or what is observed does not say what the state is
Sample observe_pairs(const Sample& pairs, const physics::EvolvingEquation& equation, const TwinOptions& options,
                     const InterpolationOptions& interpolation, std::uint64_t seed);

/// Where a model leaves such pairs when it is run from the first to the second: fields F_increment are the second minus
/// what the model makes of the first, fields F the mean of these two; the rest is as it was.
///
/// Terms that the model lacks, evaluated in F, explain the increment to second order in the interval as far as they
/// commute with the model's own, which linear terms with constant coefficients do; and noise in F is not correlated
/// with that in F_increment.
/// @throws SolverError, OptionError  as the model does
Sample with_model(EvolvingSolver& model, const Sample& pairs, const std::vector<std::string>& fields, double interval);

}  // namespace locum::assimilation
