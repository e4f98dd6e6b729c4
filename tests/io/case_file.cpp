#include <locum/io/case_file.hpp>

#include <fstream>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using namespace locum::io;
using tests::message_of;
using tests::says;

template <class Value>
static Value value_in(const OptionTable& table, const std::string& key)
{
  const OptionEntry* entry = table.find(key);
  REQUIRE(entry != nullptr);
  const Value* value = std::get_if<Value>(&entry->value);
  REQUIRE(value != nullptr);
  return *value;
}

using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Strings = std::vector<std::string>;

TEST_CASE("case file: every kind of value arrives under its dotted key, with its line", "[io]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "case.toml";
  std::ofstream(file) << "title = \"Darcy – ∇·(a∇u)\"\n"
                         "\n"
                         "[training]\n"
                         "epochs = 500  # passes\n"
                         "rate = 1e-3\n"
                         "restart = true\n"
                         "schedule = { kind = \"cosine\", floor = 0 }\n"
                         "[model]\n"
                         "modes = [12, 12]\n"
                         "scales = [1, 2.5]\n"
                         "inputs = [\"a\", \"b\"]\n"
                         "none = []\n"
                         "[solver.petsc]\n"
                         "ksp_rtol = 1e-08\n";
  const auto table = read_case_file(file);

  CHECK(table.entries().size() == 11);
  CHECK(value_in<std::string>(table, "title") == "Darcy – ∇·(a∇u)");
  CHECK(value_in<std::int64_t>(table, "training.epochs") == 500);
  CHECK(value_in<double>(table, "training.rate") == 1e-3);
  CHECK(value_in<bool>(table, "training.restart"));
  CHECK(value_in<std::string>(table, "training.schedule.kind") == "cosine");
  CHECK(value_in<std::int64_t>(table, "training.schedule.floor") == 0);
  CHECK(value_in<Integers>(table, "model.modes") == Integers{12, 12});
  CHECK(value_in<Reals>(table, "model.scales") == Reals{1, 2.5});
  CHECK(value_in<Strings>(table, "model.inputs") == Strings{"a", "b"});
  CHECK(value_in<Integers>(table, "model.none").empty());
  CHECK(value_in<double>(table, "solver.petsc.ksp_rtol") == 1e-8);
  CHECK(table.find("training.epochs")->where == file.string() + " line 4");
}

TEST_CASE("case file: an empty one has no options", "[io]")
{
  const tests::TemporaryFolder folder;
  std::ofstream(folder / "case.toml");
  CHECK(read_case_file(folder / "case.toml").entries().empty());
}

namespace {

struct Lists {
  Strings fields = {"u"};
  Reals scales = {1};
  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("fields", fields, "");
    option("scales", scales, "");
  }
};

}  // namespace

TEST_CASE("case file: what options print reads back as the same", "[io][property]")
{
  OptionReader first(parse_toml("fields = []\nscales = [1, 2]\n", "case.toml"));
  Lists lists;
  first.read("", lists);
  CHECK(lists.fields.empty());  // [] is an empty list of anything
  lists.fields = {"a \"quoted\" \\ name", "zwei\nZeilen"};
  lists.scales = {0.1, 1e22, -0.0};

  OptionReader printed(OptionTable{});
  printed.read("", lists);
  OptionReader second(parse_toml(printed.to_toml(), "printed"));
  Lists again;
  second.read("", again);
  CHECK(again.fields == lists.fields);
  CHECK(again.scales == lists.scales);
}

TEST_CASE("case file: names of sections that need quotes are printed in quotes", "[io][property]")
{
  for (const std::string name : {"my field", "Température", "say \"a\"", "a.b", "plain-1_x"}) {
    const std::string section = "data.fields." + name;
    OptionTable table;
    table.set(section + ".fields", std::vector<std::string>{"u"}, "test");
    OptionReader printed(table);
    Lists lists;
    printed.read(section, lists);
    CHECK(parse_toml(printed.to_toml(), "printed").find(section + ".fields"));
  }
}

TEST_CASE("case file: mistakes are named with line and remedy", "[io][error]")
{
  const auto message = [](const char* text) { return message_of([&] { parse_toml(text, "case.toml"); }); };

  CHECK(says(message("[model]\nname = fourier  # a model\n"),
             {"reading the case: case.toml line 2, `name = fourier  # a model`", "try   name = \"fourier\""}));
  CHECK(says(message("a = 1\nb = \"x\nc = 2\n"), {"case.toml line 2"}));
  CHECK(says(message("epochs = 1\nepochs = 2\n"), {"case.toml line 2", "epochs"}));
  CHECK(says(message("[training]\nstart = 2024-05-01\n"),
             {"case.toml line 2, training.start", "found a date or time", "try   quotes around it"}));
  CHECK(says(message("x = [1, \"a\"]\n"), {"case.toml line 1, x", "different kinds", "list of numbers or of strings"}));
  CHECK(says(message("x = [[1, 2], [3, 4]]\n"), {"case.toml line 1, x", "a list of lists"}));
  CHECK(says(message("[[model]]\nwidth = 1\n[[model]]\nwidth = 2\n"),
             {"line 1, model", "a list of tables", "[name.first]"}));
}

TEST_CASE("case file: a file that cannot be read says what to do", "[io][error]")
{
  const tests::TemporaryFolder folder;
  CHECK(says(message_of([&] { read_case_file(folder / "caes.toml"); }),
             {"caes.toml", "No such file", "try   `locum list`"}));
  CHECK(says(message_of([&] { read_case_file(folder.path()); }), {"found a folder", "case.toml"}));
}

TEST_CASE("--set: values are TOML, or else the string they look like", "[io]")
{
  OptionTable table = parse_toml("[training]\nepochs = 500\n", "case.toml");
  for (const char* setting :
       {"training.epochs=5", "rate=1e-3", "on = true", "modes=[1,2]", "name=\"5\"", "data.train=/data/a b=c.h5",
        "run=2024-05-01", "model=fourier", "empty=", "two=1\nthree=3"})
    apply_override(table, setting);

  CHECK(value_in<std::int64_t>(table, "training.epochs") == 5);
  CHECK(table.find("training.epochs")->where == "--set");
  CHECK(value_in<double>(table, "rate") == 1e-3);
  CHECK(value_in<bool>(table, "on"));
  CHECK(value_in<Integers>(table, "modes") == Integers{1, 2});
  CHECK(value_in<std::string>(table, "name") == "5");
  CHECK(value_in<std::string>(table, "data.train") == "/data/a b=c.h5");
  CHECK(value_in<std::string>(table, "run") == "2024-05-01");
  CHECK(value_in<std::string>(table, "model") == "fourier");
  CHECK(value_in<std::string>(table, "empty").empty());
  CHECK(value_in<std::string>(table, "two") == "1\nthree=3");
  CHECK(table.find("three") == nullptr);
}

TEST_CASE("--set: without a key or a value it is refused", "[io][error]")
{
  OptionTable table;
  CHECK(says(message_of([&] { apply_override(table, "training.epochs"); }),
             {"--set", "\"training.epochs\"", "expected key=value", "try   --set training.epochs="}));
  CHECK(says(message_of([&] { apply_override(table, "=5"); }), {"\"=5\"", "key=value"}));
  CHECK(says(message_of([&] { apply_override(table, "modes=[1, \"a\"]"); }), {"--set modes", "different kinds"}));
}

TEST_CASE("case file: bombs are refused, not unpacked", "[io][error][hostile]")
{
  const auto message = [](const std::string& text) { return message_of([&] { parse_toml(text, "case.toml"); }); };
  const auto repeated = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };

  CHECK(says(message(repeated("a.", 300'000) + "a = 1\n"), {"case.toml line 1", "200 dots", "section.option"}));
  CHECK(says(message("\n[" + repeated("a . ", 250'000) + "a]\n"), {"line 2", "200 dots"}));
  CHECK(says(message("x = {" + repeated("a.", 300) + "a = 1}\n"), {"200 dots"}));
  CHECK(says(message("x = " + repeated("[", 100'000) + repeated("]", 100'000)), {"case.toml line 1", "nest"}));
  CHECK(says(message("x = " + repeated("{a=", 100'000) + "1" + repeated("}", 100'000)), {"case.toml line 1", "nest"}));
  CHECK(says(message("x = \"" + repeated("a", 2'000'000) + "\""), {"more than 1048576 bytes", "HDF5"}));
  CHECK(says(message(std::string("a = 1\nb = \"x\0y\"\n", 15)), {"case.toml line 2"}));
  CHECK(says(message(std::string("a = 1\n\0", 7)), {"case.toml line 2"}));
  CHECK(says(message("unit = \"\xb0"
                     "C\"\n"),
             {"case.toml line 1", "\\xb0"}));
  CHECK(says(message("a = \"\xed\xa0\x80\"\n"), {"case.toml line 1"}));  // half a character of UTF-16
  CHECK(says(message("a = \x1b[31m\n"), {"case.toml line 1", "\\x1b"}));
  CHECK(says(message("a = 1e999999999\n" + repeated("9", 1000)), {"case.toml line"}));
  CHECK(says(message_of([] { read_case_file("/dev/zero"); }), {"/dev/zero", "more than 1048576 bytes"}));

  // Large, but honest.
  CHECK(value_in<Integers>(parse_toml("x = [" + repeated("1, ", 300'000) + "]\n", "case.toml"), "x").size() == 300'000);
  CHECK(value_in<std::string>(parse_toml(repeated("a.", 20) + "a = \"...\"\n", "case.toml"),
                              repeated("a.", 20) + "a") == "...");
}
