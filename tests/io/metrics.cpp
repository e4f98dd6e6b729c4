#include <locum/io/logs/metrics.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using namespace locum::io;

static std::string content_of(const std::filesystem::path& file)
{
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST_CASE("metrics log: a JSON object a line, in the order given, doubles to the last bit", "[io]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  MetricsLog(file).append({{"epoch", 1}, {"loss", 0.1}, {"model", "four\"ier\n"}});
  MetricsLog(file).append({{"epoch", 2}, {"loss", std::nan("")}, {"rate", -std::numeric_limits<double>::infinity()}});
  CHECK(content_of(file) ==
        "{\"epoch\":1,\"loss\":0.1,\"model\":\"four\\\"ier\\n\"}\n"
        "{\"epoch\":2,\"loss\":null,\"rate\":null}\n");
}

TEST_CASE("metrics log: after a torn line the next one starts fresh", "[io][restart]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  std::ofstream(file) << "{\"epoch\":1}\n{\"epo";
  MetricsLog(file).append({{"epoch", 2}});
  CHECK(content_of(file) == "{\"epoch\":1}\n{\"epo\n{\"epoch\":2}\n");
}

TEST_CASE("metrics: a file that cannot be written is named", "[io][error]")
{
  const tests::TemporaryFolder folder;
  CHECK(tests::says(tests::message_of([&] { MetricsLog(folder / "none/metrics.jsonl"); }),
                    {"writing metrics", "none/metrics.jsonl", "No such file"}));
  MetricsLog full("/dev/full");
  CHECK(tests::says(tests::message_of([&] { full.append({{"epoch", 1}}); }), {"/dev/full", "No space left"}));
}

TEST_CASE("metrics: read back by epoch, the later of two lines, torn ones skipped", "[io][restart]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  MetricsLog(file).append({{"epoch", 1}, {"loss", 0.5}});
  std::ofstream(file, std::ios::app) << "{\"epoch\":2,\"lo";
  MetricsLog log(file);
  log.append({{"epoch", 1}, {"loss", 0.25}});
  log.append({{"epoch", 2}, {"loss", std::nan("")}});
  auto epochs = read_epochs(file);
  REQUIRE(epochs.size() == 2);
  CHECK(epochs[1]["loss"] == 0.25);
  CHECK(std::isnan(epochs[2]["loss"]));
}

TEST_CASE("summary: one flat object that steps add to", "[io]")
{
  const tests::TemporaryFolder folder;
  add_to_summary(folder / "summary.json", {{"samples", 100}, {"relative_l2", 0.5}});
  add_to_summary(folder / "summary.json", {{"relative_l2", 0.0108}, {"model", "fourier"}});
  CHECK(content_of(folder / "summary.json") ==
        "{\n  \"model\": \"fourier\",\n  \"relative_l2\": 0.0108,\n  \"samples\": 100\n}\n");
}
