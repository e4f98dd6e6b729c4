#include "case.hpp"

#include <fmt/ranges.h>
#include <locum/io/case_file.hpp>
#include <locum/physics/registry.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace locum::cli {

namespace fs = std::filesystem;

namespace {

struct EquationChoice {
  std::string name;
  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("name", name, "equation the data obey; \"\": unknown, the data come from elsewhere");
  }
};

bool has_section(const OptionTable& table, const std::string& section)
{
  const auto& entries = table.entries();
  return std::any_of(entries.begin(), entries.end(),
                     [&](const auto& entry) { return entry.first.starts_with(section + "."); });
}

/// Completes [truth] and [truth.solver], which say what differs from [equation] and [solver], by what does not. Of an
/// equation with another name it says everything.
/// @return  whether there is one
bool complete_truth(OptionTable& table)
{
  if (!has_section(table, "truth")) return false;
  const auto entries = table.entries();
  const auto complete = [&](const std::string& section, const std::string& as) {
    for (const auto& [key, entry] : entries) {
      if (!key.starts_with(section + ".")) continue;
      const auto name = key.substr(section.size() + 1);
      if (name.find('.') == std::string::npos && !table.find(as + "." + name))
        table.set(as + "." + name, entry.value, entry.where);
    }
  };
  const OptionEntry* own = table.find("truth.name");
  const OptionEntry* model = table.find("equation.name");
  if (own && model && own->value != model->value) return true;
  complete("equation", "truth");
  complete("solver", "truth.solver");
  return true;
}

void read_petsc_words(OptionTable& table, const std::string& words)
{
  std::istringstream stream(words);
  std::string key;
  for (std::string word; stream >> word;) {
    const bool is_key = word.size() > 1 && word[0] == '-' && std::isalpha(static_cast<unsigned char>(word[1]));
    if (is_key) key = "solver.petsc." + word.substr(1);
    else if (key.empty())
      throw OptionError({.doing = "reading --petsc",
                         .where = "",
                         .found = fmt::format("\"{}\"", word),
                         .expected = "an option that starts with a dash",
                         .advice = "--petsc \"-ksp_rtol 1e-10\""});
    table.set(key, is_key ? std::string{} : word, "--petsc");
  }
}

/// Options of every section below `section`: [data.fields.u], [data.fields.v].
template <class Options>
void read_named(OptionReader& reader, const std::string& section, std::map<std::string, Options>& named)
{
  for (const auto& [key, entry] : reader.table().entries()) {
    if (!key.starts_with(section + ".")) continue;
    const auto rest = key.substr(section.size() + 1);
    const auto name = rest.substr(0, rest.rfind('.'));
    if (rest.find('.') == std::string::npos || named.contains(name)) continue;
    reader.read(section + "." + name, named[name]);
  }
}

/// One entry of a section whose keys are other options' keys.
template <class Value>
struct NamedValue {
  std::string name;
  Value value;
  std::string help;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option(name, value, help);
  }
};

template <class Value>
Value read_value(OptionReader& reader, const std::string& key, const std::string& help)
{
  const auto dot = key.rfind('.');
  NamedValue<Value> one{.name = key.substr(dot + 1), .value = {}, .help = help};
  reader.read(key.substr(0, dot), one);
  return one.value;
}

/// What [tune.log] … say. @throws OptionError  if a range or list is none.
std::vector<SearchedOption> read_searched(OptionReader& reader)
{
  using Scale = SearchedOption::Scale;
  std::vector<SearchedOption> searched;
  const auto refuse = [](const OptionEntry& entry, const std::string& key, const std::string& expected,
                         const std::string& advice) {
    throw OptionError({.doing = "reading the case",
                       .where = fmt::format("{}, {}", entry.where, key),
                       .found = to_toml(entry.value),
                       .expected = expected,
                       .advice = advice});
  };
  for (const auto& [scale, section] :
       {std::pair{Scale::log, "tune.log."}, std::pair{Scale::linear, "tune.linear."},
        std::pair{Scale::integer, "tune.integer."}, std::pair{Scale::choices, "tune.choices."}})
    for (const auto& [key, entry] : reader.table().entries()) {
      if (!key.starts_with(section)) continue;
      SearchedOption option{.key = key.substr(std::string(section).size()), .scale = scale, .range = {}, .choices = {}};
      if (scale == Scale::choices) {
        if (std::holds_alternative<std::vector<std::string>>(entry.value))
          option.choices = read_value<std::vector<std::string>>(reader, key, "values to try");
        else if (std::holds_alternative<std::vector<std::int64_t>>(entry.value))
          for (const auto value : read_value<std::vector<std::int64_t>>(reader, key, "values to try"))
            option.choices.push_back(to_toml(value));
        else
          for (const auto value : read_value<std::vector<double>>(reader, key, "values to try"))
            option.choices.push_back(to_toml(value));
        if (option.choices.size() < 2) refuse(entry, key, "two values or more", "[8, 16]");
      } else {
        option.range = read_value<std::vector<double>>(reader, key, "ends of the range to search");
        const bool ordered = option.range.size() == 2 && option.range[0] < option.range[1];
        if (!ordered || (scale == Scale::log && option.range[0] <= 0))
          refuse(entry, key, scale == Scale::log ? "both ends of a range above 0" : "both ends of a range",
                 scale == Scale::integer ? "[2, 6]" : "[1e-4, 1e-2]");
      }
      searched.push_back(std::move(option));
    }
  return searched;
}

/// A number that must be in some range.
template <class Number>
void require(const OptionReader& reader, bool condition, const std::string& key, Number found,
             const std::string& expected, const std::string& usual)
{
  if (condition) return;
  const OptionEntry* entry = reader.table().find(key);
  throw OptionError({.doing = "reading the case",
                     .where = entry ? fmt::format("{}, {}", entry->where, key) : key,
                     .found = fmt::format("{}", found),
                     .expected = expected,
                     .advice = fmt::format("{} = {}", key.substr(key.rfind('.') + 1), usual)});
}

/// The true system of a twin experiment: as the model, but for what [truth] says.
void read_truth(Case& c)
{
  EquationChoice choice;
  c.reader.read("truth", choice);
  std::unique_ptr<physics::Equation> made;
  if (!choice.name.empty()) made = physics::make_equation(choice.name, c.reader, "truth");
  auto* const evolving = dynamic_cast<physics::EvolvingEquation*>(made.get());
  const auto shape = [](const physics::Equation& equation) {
    return fmt::format("{}", fmt::join(equation.inputs(), ", "));
  };
  if (!evolving || !c.evolving() || evolving->state() != c.evolving()->state())
    throw OptionError({.doing = "reading the case",
                       .where = "[truth]",
                       .found = made ? fmt::format("{} of {}", choice.name, shape(*made)) : "no equation",
                       .expected = c.evolving() ? fmt::format("an equation that evolves {}", shape(*c.equation))
                                                : "an [equation] that evolves, which is a model of the truth",
                       .advice = ""});
  made.release();
  c.truth.reset(evolving);
  c.truth_stepping = solvers::read_stepping(*c.truth, c.reader, "truth.solver");
}

}  // namespace

static Case case_of(const std::string& name, OptionTable table)
{
  const bool has_truth = complete_truth(table);
  Case c{.name = name,
         .target = {},
         .equation = {},
         .generate = {},
         .trajectory = {},
         .stepping = {},
         .truth = {},
         .truth_stepping = {},
         .observations = {},
         .assimilation = {},
         .discover = {},
         .discovery = {},
         .twin = {},
         .interpolation = {},
         .data = {},
         .dataset = {},
         .training = {},
         .tune = {},
         .searched = {},
         .evaluate = {},
         .petsc = {},
         .reader = OptionReader(std::move(table))};
  c.reader.read("target", c.target);
  EquationChoice equation;
  c.reader.read("equation", equation);
  if (!equation.name.empty()) {
    c.equation = physics::make_equation(equation.name, c.reader, "equation");
    c.reader.read("generate", c.generate);
    if (const auto* evolving = c.evolving()) {
      c.reader.read("generate", c.trajectory);
      c.stepping = solvers::read_stepping(*evolving, c.reader, "solver");
    }
  }
  if (has_truth) read_truth(c);
  if (c.evolving()) {
    c.reader.read("observations", c.observations);
    c.reader.read("assimilation", c.assimilation);
    if (c.observations.fields.empty()) c.observations.fields = c.evolving()->state();
    const auto& seen = c.observations;
    require(c.reader, seen.every > 0, "observations.every", seen.every, "at least 1", "1");
    require(c.reader, seen.points >= 0, "observations.points", seen.points, "at least 0", "0");
    require(c.reader, seen.interval >= 0, "observations.interval", seen.interval, "a time, or 0", "0.0");
    require(c.reader, seen.correlation >= 0, "observations.correlation", seen.correlation, "a length, or 0", "0.0");
    require(c.reader, seen.deviation > 0 || !seen.file.empty(), "observations.deviation", seen.deviation, "above 0",
            "1.0");
    const auto& cycling = c.assimilation.cycling;
    require(c.reader, cycling.cycles > 0, "assimilation.cycles", cycling.cycles, "at least 1", "1000");
    require(c.reader, cycling.burn_in >= 0 && cycling.burn_in < cycling.cycles, "assimilation.burn_in", cycling.burn_in,
            "fewer than cycles", "0");
    require(c.reader, cycling.stored >= 0, "assimilation.stored", cycling.stored, "at least 0", "50");
    require(c.reader, c.assimilation.initial_deviation >= 0, "assimilation.initial_deviation",
            c.assimilation.initial_deviation, "at least 0", "0.0");
    require(c.reader, c.assimilation.forecast.model_error >= 0, "assimilation.model_error",
            c.assimilation.forecast.model_error, "at least 0", "0.0");
  }
  if (c.evolving() || has_section(c.reader.table(), "discovery")) {
    c.reader.read("discovery", c.discover);
    c.reader.read("discovery", c.discovery);
    c.reader.read("discovery", c.twin);
    c.reader.read("discovery.interpolation", c.interpolation);
  }
  c.reader.read("data", c.data);
  read_named(c.reader, "data.fields", c.dataset.fields);
  read_named(c.reader, "data.parameters", c.dataset.parameters);
  read_named(c.reader, "data.axes", c.dataset.axes);
  c.dataset.every = c.data.every;
  operators::configure_model(c.reader, "model");
  c.reader.read("training", c.training);
  c.reader.read("tune", c.tune);
  c.searched = read_searched(c.reader);
  c.reader.read("evaluate", c.evaluate);
  c.petsc = c.reader.read_foreign("solver.petsc", "PETSc's");
  c.reader.refuse_unknown();

  if (c.equation) {
    if (c.data.inputs.empty()) c.data.inputs = c.equation->inputs();
    if (c.data.outputs.empty()) c.data.outputs = c.equation->outputs();
    require(c.reader, c.generate.samples > 0, "generate.samples", c.generate.samples, "at least 1", "1000");
    require(c.reader, c.generate.test_samples > 0, "generate.test_samples", c.generate.test_samples, "at least 1",
            "200");
    c.equation->grid(c.generate.cells);
    if (c.evolving()) {
      require(c.reader, c.trajectory.spin_up >= 0, "generate.spin_up", c.trajectory.spin_up, "a time, or 0 for none",
              "0.0");
      require(c.reader, c.trajectory.interval > 0, "generate.interval", c.trajectory.interval, "above 0", "1.0");
      for (const auto cells : c.generate.cells)
        require(c.reader, c.trajectory.every > 0 && cells % c.trajectory.every == 0, "generate.every",
                c.trajectory.every, fmt::format("a divisor of {}", cells), "1");
      require(c.reader, c.trajectory.intervals > 0, "generate.intervals", c.trajectory.intervals, "at least 1", "10");
      require(c.reader, c.truth || !c.data.train.empty() || c.data.horizon > 0, "data.horizon", c.data.horizon,
              "at least 1: the state now is no prediction", "1");
    }
  }
  require(c.reader, c.data.validation >= 0 && c.data.validation < 1, "data.validation", c.data.validation,
          "a fraction from 0 to below 1", "0.1");
  require(c.reader, c.data.samples >= 0, "data.samples", c.data.samples, "a number of samples, or 0 for all", "0");
  require(c.reader, c.data.test_fraction >= 0 && c.data.validation + c.data.test_fraction < 1, "data.test_fraction",
          c.data.test_fraction, "a fraction that leaves samples beside those for validation", "0.1");
  require(c.reader, c.data.history > 0, "data.history", c.data.history, "at least 1", "1");
  require(c.reader, c.data.horizon >= 0, "data.horizon", c.data.horizon, "at least 0", "1");
  require(c.reader, c.data.stride > 0, "data.stride", c.data.stride, "at least 1", "1");
  require(c.reader, c.data.memory > 0, "data.memory", c.data.memory, "above 0", "4");
  const auto& loss = c.training.loss;
  if (c.data.mask == NotFinite::missing && (loss.loss == operators::Loss::h1 || loss.loss == operators::Loss::bands))
    throw OptionError({.doing = "reading the case",
                       .where = "training.loss",
                       .found = fmt::format("\"{}\" with data.mask = \"missing\"", name_of(loss.loss)),
                       .expected = "relative_l2 or mse: what is missing has no derivatives and no waves",
                       .advice = "loss = \"relative_l2\""});
  if (loss.residual > 0 && (!c.equation || loss.space != operators::LossSpace::physical))
    throw OptionError({.doing = "reading the case",
                       .where = "training.residual",
                       .found = fmt::format("{}", loss.residual),
                       .expected = c.equation ? "0 with loss_space = \"normalised\"" : "0: there is no [equation]",
                       .advice = c.equation ? "loss_space = \"physical\"" : "residual = 0.0"});
  require(c.reader, loss.bands.size() == 3, "training.loss_bands", loss.bands.size(), "three weights",
          "[1.0, 1.0, 1.0]");
  require(c.reader, c.training.epochs > 0, "training.epochs", c.training.epochs, "at least 1", "100");
  require(c.reader, c.training.batch > 0, "training.batch", c.training.batch, "at least 1", "20");
  require(c.reader, c.training.accumulate > 0, "training.accumulate", c.training.accumulate, "at least 1", "1");
  require(c.reader, c.training.rollout.steps > 0, "training.rollout", c.training.rollout.steps, "at least 1", "1");
  require(c.reader, c.training.rollout.growth >= 0, "training.rollout_growth", c.training.rollout.growth, "at least 0",
          "0");
  require(c.reader, c.training.rollout.steps == 1 || loss.space == operators::LossSpace::physical, "training.rollout",
          c.training.rollout.steps, "1 with loss_space = \"normalised\"", "1");
  const auto& curriculum = c.training.curriculum;
  require(c.reader, curriculum.modes_from > 0 && curriculum.modes_from <= 1, "training.modes_from",
          curriculum.modes_from, "a part above 0, or 1 for all", "1.0");
  require(c.reader, curriculum.coarse_from > 0, "training.coarse_from", curriculum.coarse_from, "at least 1", "1");
  require(c.reader, curriculum.growth >= 0, "training.growth", curriculum.growth, "at least 0", "0");
  require(c.reader, curriculum.growth > 0 || (curriculum.modes_from == 1 && curriculum.coarse_from == 1),
          "training.growth", curriculum.growth, "epochs until there are all modes and points",
          fmt::format("{}", std::max<std::int64_t>(1, c.training.epochs / 2)));
  require(c.reader, c.training.average >= 0 && c.training.average < 1, "training.average", c.training.average,
          "from 0 to below 1", "0.999");
  require(c.reader, c.training.schedule.rate > 0, "training.rate", c.training.schedule.rate, "above 0", "1e-3");
  require(c.reader, c.training.members > 0, "training.members", c.training.members, "at least 1", "1");
  require(c.reader, c.data.folds == 0 || c.data.folds > 1, "data.folds", c.data.folds, "0 for none, or at least 2",
          "5");
  require(c.reader, c.data.fold >= -1 && (c.data.fold == -1 || c.data.fold < c.data.folds), "data.fold", c.data.fold,
          "one of data.folds, counted from 0, or -1", "-1");
  require(c.reader, c.training.members == 1 || c.members() == c.training.members, "training.members",
          c.training.members, "1 with data.folds, which are members", "1");
  require(c.reader, c.tune.trials > 0, "tune.trials", c.tune.trials, "at least 1", "16");
  require(c.reader, c.tune.keep > 1, "tune.keep", c.tune.keep, "at least 2", "3");
  require(c.reader, c.tune.first_epochs >= 0, "tune.first_epochs", c.tune.first_epochs, "at least 1, or 0", "0");
  require(c.reader, c.evaluate.timed > 0, "evaluate.timed", c.evaluate.timed, "at least 1", "20");
  require(c.reader, c.evaluate.shown > 0, "evaluate.shown", c.evaluate.shown, "at least 1", "3");
  return c;
}

Case read_case(const fs::path& path, const std::vector<std::string>& overrides, const std::string& petsc)
{
  const fs::path file = fs::is_directory(path) ? path / "case.toml" : path;
  OptionTable table = io::read_case_file(file);
  for (const std::string& setting : overrides) io::apply_override(table, setting);
  read_petsc_words(table, petsc);
  return case_of(fs::absolute(file).parent_path().filename().string(), std::move(table));
}

Case Case::with(const std::vector<std::string>& settings) const
{
  OptionTable table = reader.table();
  for (const std::string& setting : settings) io::apply_override(table, setting);
  return case_of(name, std::move(table));
}

std::string SearchedOption::at(double x) const
{
  if (scale == Scale::choices) return choices[static_cast<std::size_t>(x * static_cast<double>(choices.size()))];
  const double low = range[0], high = range[1];
  if (scale == Scale::integer)
    return to_toml(static_cast<std::int64_t>(std::ceil(low) + std::floor(x * (std::floor(high) - std::ceil(low) + 1))));
  const double value = scale == Scale::log ? low * std::pow(high / low, x) : low + x * (high - low);
  return fmt::format("{:.4g}", value);  // what a person would write, and what the table shows
}

std::string Case::assimilation_settings() const
{
  std::string text;
  for (const char* part : {"equation", "solver", "truth", "truth.solver", "generate", "observations", "assimilation"}) {
    std::istringstream lines(section(part));
    for (std::string line; std::getline(lines, line);) {
      const bool free = line.starts_with("cycles ") || line.starts_with("burn_in ") || line.starts_with("stored ") ||
                        line.starts_with("checkpoint_minutes ");
      if (!free) text += fmt::format("{}: {}\n", part, line);
    }
  }
  return text;
}

std::string Case::data_section() const
{
  std::string text = section("data");
  const auto add = [&](const std::string& name, const auto& named) {
    for (const auto& [key, options] : named) text += fmt::format("[{}.{}]\n{}", name, key, section(name + "." + key));
  };
  add("data.fields", dataset.fields);
  add("data.parameters", dataset.parameters);
  add("data.axes", dataset.axes);
  return text;
}

}  // namespace locum::cli
