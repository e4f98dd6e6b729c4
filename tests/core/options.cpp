#include <locum/core/options.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

namespace {

enum class Schedule { cosine, step };
constexpr auto option_names(Schedule)
{
  return std::array{std::pair{Schedule::cosine, "cosine"}, std::pair{Schedule::step, "step"}};
}

struct Training {
  std::int64_t epochs = 10;
  double rate = 1e-3;
  Schedule schedule = Schedule::cosine;
  std::vector<std::int64_t> modes = {12, 12};
  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("epochs", epochs, "passes over the data");
    option("rate", rate, "learning rate");
    option("schedule", schedule, "of the learning rate");
    option("modes", modes, "");
  }
};

OptionReader reader_of(const std::string& key, OptionValue value)
{
  OptionTable table;
  table.set(key, std::move(value), "case.toml line 3");
  return OptionReader(std::move(table));
}

}  // namespace

TEST_CASE("options: written values replace defaults, whole numbers pass as real ones", "[core]")
{
  OptionTable table;
  table.set("training.rate", std::int64_t{2}, "case.toml line 2");
  table.set("training.schedule", std::string("step"), "case.toml line 3");
  OptionReader reader(table);
  Training training;
  reader.read("training", training);
  reader.refuse_unknown();
  CHECK(training.rate == 2.0);
  CHECK(training.schedule == Schedule::step);
  CHECK(training.epochs == 10);
}

TEST_CASE("options: what is printed reads back as the same", "[core][property]")
{
  CHECK(to_toml(1.0) == "1.0");
  CHECK(to_toml(1e-8) == "1e-08");
  CHECK(to_toml(std::string("a\"b\\")) == "\"a\\\"b\\\\\"");
  CHECK(to_toml(std::vector<std::int64_t>{1, 2}) == "[1, 2]");
}

TEST_CASE("options: bad input is named with its place and the remedy", "[core][error]")
{
  Training training;
  SECTION("unknown key")
  {
    auto reader = reader_of("training.epoch", std::int64_t{200});
    reader.read("training", training);
    CHECK(says(message_of([&] { reader.refuse_unknown(); }), {"case.toml line 3, [training]", "unknown key \"epoch\"",
                                                              "epochs, rate, schedule", "try   epochs = 200"}));
  }
  SECTION("unknown section")
  {
    auto reader = reader_of("traning.epochs", std::int64_t{200});
    reader.read("training", training);
    CHECK(says(message_of([&] { reader.refuse_unknown(); }), {"unknown section [traning]", "[training]"}));
  }
  SECTION("wrong type")
  {
    auto reader = reader_of("training.epochs", std::string("many"));
    CHECK(says(message_of([&] { reader.read("training", training); }),
               {"case.toml line 3, training.epochs", "found \"many\"", "a whole number"}));
  }
  SECTION("not a name of the enumeration")
  {
    auto reader = reader_of("training.schedule", std::string("cosin"));
    CHECK(says(message_of([&] { reader.read("training", training); }),
               {"\"cosin\"", "one of \"cosine\", \"step\"", "schedule = \"cosine\""}));
  }
}
