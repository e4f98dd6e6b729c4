#include "case.hpp"

#include <locum/io/case_file.hpp>
#include <locum/physics/registry.hpp>

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

}  // namespace

Case read_case(const fs::path& path, const std::vector<std::string>& overrides, const std::string& petsc)
{
  const fs::path file = fs::is_directory(path) ? path / "case.toml" : path;
  OptionTable table = io::read_case_file(file);
  for (const std::string& setting : overrides) io::apply_override(table, setting);
  read_petsc_words(table, petsc);

  Case c{.name = fs::absolute(file).parent_path().filename().string(),
         .target = {},
         .equation = {},
         .generate = {},
         .data = {},
         .training = {},
         .evaluate = {},
         .petsc = {},
         .reader = OptionReader(std::move(table))};
  c.reader.read("target", c.target);
  EquationChoice equation;
  c.reader.read("equation", equation);
  if (!equation.name.empty()) {
    c.equation = physics::make_equation(equation.name, c.reader, "equation");
    c.reader.read("generate", c.generate);
  }
  c.reader.read("data", c.data);
  operators::configure_model(c.reader, "model");
  c.reader.read("training", c.training);
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
  }
  require(c.reader, c.data.validation >= 0 && c.data.validation < 1, "data.validation", c.data.validation,
          "a fraction from 0 to below 1", "0.1");
  require(c.reader, c.data.samples >= 0, "data.samples", c.data.samples, "a number of samples, or 0 for all", "0");
  require(c.reader, c.training.epochs > 0, "training.epochs", c.training.epochs, "at least 1", "100");
  require(c.reader, c.training.batch > 0, "training.batch", c.training.batch, "at least 1", "20");
  require(c.reader, c.training.schedule.rate > 0, "training.rate", c.training.schedule.rate, "above 0", "1e-3");
  require(c.reader, c.evaluate.timed > 0, "evaluate.timed", c.evaluate.timed, "at least 1", "20");
  require(c.reader, c.evaluate.shown > 0, "evaluate.shown", c.evaluate.shown, "at least 1", "3");
  return c;
}

}  // namespace locum::cli
