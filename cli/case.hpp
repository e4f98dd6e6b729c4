#pragma once
#include <locum/assimilation/cycling.hpp>
#include <locum/assimilation/discovery/discovery.hpp>
#include <locum/assimilation/discovery/twin.hpp>
#include <locum/assimilation/registry.hpp>
#include <locum/io/datasets/dataset.hpp>
#include <locum/operators/registry.hpp>
#include <locum/operators/training/trainer.hpp>
#include <locum/physics/equation.hpp>
#include <locum/solvers/generate.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace locum::cli {

/// [target]: the number the case is held against.
struct TargetOptions {
  std::string metric = "relative_l2";
  double published = 0;
  double accept = 0;
  std::string source;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("metric", metric, "name in summary.json");
    option("published", published, "value in the literature; 0: none");
    option("accept", accept, "evaluate says so when the metric is above; 0: anything");
    option("source", source, "where it was published");
  }
};

/// [generate]: the random problems that the reference solver solves.
struct GenerateOptions {
  std::int64_t samples = 1000;
  std::int64_t test_samples = 200;
  std::vector<std::int64_t> cells = {64, 64};
  std::int64_t seed = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("samples", samples, "training samples");
    option("test_samples", test_samples, "test samples, drawn with seed + 1");
    option("cells", cells, "cells along each axis, slowest first");
    option("seed", seed, "of the random problems");
  }
};

/// [generate] of an equation that evolves: what is stored of each trajectory.
struct TrajectoryOptions : solvers::Trajectory {
  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("spin_up", spin_up, "time that random initial states are advanced before they are stored");
    option("interval", interval, "time between stored states");
    option("intervals", intervals, "of time, and so of one state less than is stored");
    option("every", every, "store each n-th point along each axis");
  }
};

/// What values that are not finite mean.
enum class NotFinite { error, missing };
constexpr auto option_names(NotFinite)
{
  return std::array{std::pair{NotFinite::error, "error"}, std::pair{NotFinite::missing, "missing"}};
}

/// Which end of a file is held out.
enum class HoldOut { last, first };
constexpr auto option_names(HoldOut)
{
  return std::array{std::pair{HoldOut::last, "last"}, std::pair{HoldOut::first, "first"}};
}

/// [data]: what is trained on and tested with. [data.fields], [data.parameters] and [data.axes] are beside it.
struct DataOptions {
  std::string train;
  std::string test;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::int64_t samples = 0;
  double validation = 0.1;
  double test_fraction = 0.1;
  HoldOut hold_out = HoldOut::last;
  std::int64_t folds = 0;
  std::int64_t fold = -1;
  std::int64_t history = 1;
  std::int64_t horizon = 0;
  std::int64_t stride = 1;
  std::vector<std::int64_t> every;
  NotFinite mask = NotFinite::error;
  double memory = 4;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("train", train, "HDF5 file or folder of training samples; \"\": what [generate] makes");
    option("test", test, "the same for testing; \"\": what [generate] makes, or a part of train");
    option("inputs", inputs, "fields the operator reads; []: the equation's");
    option("outputs", outputs, "fields the operator predicts; []: the equation's");
    option("samples", samples, "training samples to use; 0: all");
    option("validation", validation, "fraction of the training samples held out to choose the best weights");
    option("test_fraction", test_fraction, "fraction of train held out for testing, if there is no test file");
    option("hold_out", hold_out, "last or first: which samples of train are held out");
    option("folds", folds, "k: as many members, each validates with another k-th of the samples; 0: see validation");
    option("fold", fold, "the one part to validate with, counted from 0; -1: each in its turn");
    option("history", history, "steps of the inputs up to now");
    option("horizon", horizon, "steps of the outputs after now; 0: now");
    option("stride", stride, "steps of the file between these steps");
    option("every", every, "use each n-th point along each axis of the grid; []: all points");
    option("mask", mask, "values that are not finite: error, or missing (land): left out of training and testing");
    option("memory", memory, "GiB for training samples; what does not fit is streamed");
  }
};

/// Which points of the box of searched options are tried.
enum class TrialPoints { sobol, random };
constexpr auto option_names(TrialPoints)
{
  return std::array{std::pair{TrialPoints::sobol, "sobol"}, std::pair{TrialPoints::random, "random"}};
}

/// [tune]: how options are searched.
struct TuneOptions {
  std::int64_t trials = 16;
  std::int64_t first_epochs = 0;
  std::int64_t keep = 3;
  TrialPoints points = TrialPoints::sobol;
  std::int64_t seed = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("trials", trials, "settings to try");
    option("first_epochs", first_epochs, "epochs after which the better ones go on; 0: a ninth of training.epochs");
    option("keep", keep, "one trial in so many goes on, for so many times the epochs");
    option("points", points, "settings tried: sobol (even) or random");
    option("seed", seed, "of these");
  }
};

/// An option that is searched: [tune.log], [tune.linear] and [tune.integer] hold the ends of its range, [tune.choices]
/// its values.
struct SearchedOption {
  enum class Scale { log, linear, integer, choices };
  std::string key;  ///< "training.rate"
  Scale scale = Scale::linear;
  std::vector<double> range;         ///< Both ends; not of choices.
  std::vector<std::string> choices;  ///< As --set takes them.

  /// The value at x, from 0 to below 1 over the range, as --set takes it.
  std::string at(double x) const;
};

/// [evaluate]: what is shown of the test samples.
struct EvaluateOptions {
  std::int64_t timed = 20;
  std::int64_t shown = 3;
  bool netcdf = false;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("timed", timed, "problems solved one by one to time surrogate and reference");
    option("shown", shown, "test samples drawn and written for ParaView");
    option("netcdf", netcdf, "write truth and prediction of all test samples into predictions.nc");
  }
};

/// [observations]: what is seen of the truth, or was.
struct ObservationOptions {
  std::string file;
  std::vector<std::string> fields;
  std::int64_t every = 1;
  std::int64_t points = 0;
  assimilation::Seen seen = assimilation::Seen::value;
  double interval = 0;
  double deviation = 1;
  double correlation = 0;
  std::int64_t seed = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("file", file,
           "HDF5 file of observations (docs/assimilation.md); \"\": a twin experiment, [truth] makes them");
    option("fields", fields, "fields that are seen; []: all of the state");
    option("every", every, "at each n-th point along each axis of the grid");
    option("points", points, "at so many random points instead; 0: as every says");
    option("seen", seen, "value, absolute or square: what is seen of a value");
    option("interval", interval, "time from observations to observations; 0: generate.interval");
    option("deviation", deviation, "of their errors, where the file says none");
    option("correlation", correlation, "length over which errors are correlated; 0: they are independent");
    option("seed", seed, "of random points");
  }
};

/// [assimilation]: how observations and model meet.
struct AssimilationOptions {
  assimilation::MethodOptions method;
  assimilation::ForecastOptions forecast;
  assimilation::CyclingOptions cycling;
  double initial_deviation = 0;
  std::int64_t seed = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    method.visit(option);
    forecast.visit(option);
    option("initial_deviation", initial_deviation,
           "of the first members around the truth, in a twin experiment; 0: they are states of the climate");
    option("seed", seed, "of truth, members and errors");
    cycling.visit(option);
  }
};

/// [discovery]: what `locum discover` works on, and what it tries the corrected model on.
struct DiscoverOptions {
  std::string increments;
  std::int64_t window = 1;
  double forecast = 10;
  double statistics = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("increments", increments,
           "run folder of `locum assimilate`, or HDF5 file with fields F and F_increment; \"\": pairs of [truth]");
    option("window", window, "of these: cycles from the first analysis of a pair to the second");
    option("forecast", forecast, "time that truth, model and corrected model are followed from the same states");
    option("statistics", statistics, "time over which their means and spectra are compared; 0: not");
  }
};

/// A case file, read and checked, with what was set on the command line.
struct Case {
  std::string name;
  TargetOptions target;
  std::unique_ptr<physics::Equation> equation;  ///< Null if the data come from elsewhere.
  GenerateOptions generate;
  TrajectoryOptions trajectory;                      ///< Of an evolving equation.
  solvers::SteppingOptions stepping;                 ///< [solver] of an evolving equation.
  std::unique_ptr<physics::EvolvingEquation> truth;  ///< [truth] of a twin experiment: what [equation] is a model of.
  solvers::SteppingOptions truth_stepping;           ///< [truth.solver]
  ObservationOptions observations;                   ///< Of an evolving equation.
  AssimilationOptions assimilation;
  DiscoverOptions discover;
  assimilation::DiscoveryOptions discovery;
  assimilation::TwinOptions twin;
  assimilation::InterpolationOptions interpolation;  ///< [discovery.interpolation]
  DataOptions data;
  io::DatasetOptions dataset;  ///< [data.fields], [data.parameters], [data.axes], and data.every.
  operators::TrainingOptions training;
  TuneOptions tune;
  std::vector<SearchedOption> searched;
  EvaluateOptions evaluate;
  std::map<std::string, std::string> petsc;  ///< [solver.petsc]: passed on to PETSc as they are.

  /// The equation, if it is one of that kind, else null.
  const physics::SteadyEquation* steady() const { return dynamic_cast<const physics::SteadyEquation*>(equation.get()); }
  const physics::EvolvingEquation* evolving() const
  {
    return dynamic_cast<const physics::EvolvingEquation*>(equation.get());
  }

  /// How many surrogates are trained, to predict together: from other weights, or with other samples held out.
  std::int64_t members() const { return data.folds > 0 && data.fold < 0 ? data.folds : training.members; }

  /// The same case with other options, each as after --set: "training.seed=3".
  Case with(const std::vector<std::string>& settings) const;

  std::string to_toml() const { return reader.to_toml(); }
  /// The data as the case describes them: [data] and its sections.
  std::string data_section() const;
  /// The options of one section, as they are stored beside results: what made them.
  std::string section(const std::string& name) const { return reader.to_toml(name); }
  /// What a training depends on: it goes on only with the same.
  std::string training_settings() const
  {
    const std::string made = section("equation") + section("generate") + section("solver") + section("solver.petsc");
    return (data.train.empty() ? made : "") + data_section() + section("model") + section("training");
  }
  /// What an assimilation depends on: it goes on only with the same, but may take more cycles.
  std::string assimilation_settings() const;

  OptionReader reader;
};

/// @param path       a case folder with a case.toml, or a case file
/// @param overrides  "training.epochs=5", later ones win
/// @param petsc      PETSc options as on PETSc's command line: "-ksp_rtol 1e-10 -pc_type hypre"
/// @throws SystemError, OptionError  naming line and key of what is wrong.
Case read_case(const std::filesystem::path& path, const std::vector<std::string>& overrides, const std::string& petsc);

}  // namespace locum::cli
