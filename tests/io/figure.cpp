#include <locum/io/figures/figure.hpp>
#include <locum/io/figures/streamlines.hpp>
#include <set>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using namespace locum::io;
using tests::message_of;
using tests::says;

static std::string content_of(const std::filesystem::path& file)
{
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

static bool is_png(const std::filesystem::path& file)
{
  const auto content = content_of(file);
  return content.starts_with("\x89PNG\r\n") && content.find("IEND") != std::string::npos;
}

/// Whether figures can be drawn here.
static bool gnuplot_missing()
{
  if (std::system("gnuplot --version >/dev/null 2>&1") == 0) return false;
  WARN("skipped: gnuplot is not installed");
  return true;
}

static torch::Tensor wave(std::int64_t ny, std::int64_t nx, double ky, double kx)
{
  const auto y = torch::arange(ny, torch::kFloat64).unsqueeze(1) / double(ny);
  const auto x = torch::arange(nx, torch::kFloat64) / double(nx);
  return torch::cos(2 * M_PI * (ky * y + kx * x));
}

TEST_CASE("radial spectrum: a single wave has all its energy, one half, at its wave number", "[io][spectrum]")
{
  const auto [k, energy] = radial_spectrum(wave(32, 48, 3, 4));
  CHECK(k[5].item<double>() == 5);
  CHECK_THAT(energy[5].item<double>(), WithinAbs(0.5, 1e-15));
  CHECK_THAT(energy.sum().item<double>(), WithinAbs(0.5, 1e-14));
  CHECK_THAT(radial_spectrum(wave(16, 16, 0, 8)).energy[8].item<double>(), WithinAbs(1, 1e-15));  // ±1 alternating
}

TEST_CASE("radial spectrum: the sum over wave numbers is the mean square, odd and even sizes", "[io][spectrum]")
{
  const auto ny = GENERATE(16, 17), nx = GENERATE(16, 21);
  torch::manual_seed(3);
  const auto u = torch::randn({4, ny, nx}, torch::kFloat64) + 1;
  CHECK_THAT(radial_spectrum(u).energy.sum().item<double>(), WithinRel(u.square().mean().item<double>(), 1e-13));
  CHECK(says(message_of([&] { radial_spectrum(u.unsqueeze(0)); }), {"[1, 4,", "[y, x] or [batch, y, x]"}));
}

TEST_CASE("common range: of finite values only", "[io][figure]")
{
  CHECK(common_range({torch::tensor({1.0F, NAN}), torch::tensor({-2.0F, INFINITY})}) == Range{-2, 1});
}

TEST_CASE("figures: names with spaces, quotes and accents work, also those gnuplot would run as commands",
          "[io][figure]")
{
  if (gnuplot_missing()) return;
  const tests::TemporaryFolder folder;
  for (const char* name : {"plain", "it's a \"test\"", "Größe ∇u", "<date", "|date", "-e"}) {
    CAPTURE(name);
    const auto png = folder / (std::string(name) + ".png");
    draw_curves(png, {{"it's {/Bold x_2}", torch::arange(3), torch::arange(3)}},
                {.title = "`date`", .x = "x", .y = "y"});
    CHECK(is_png(png));
    CHECK(std::filesystem::exists(folder / (std::string(name) + ".gp")));
  }
}

TEST_CASE("figures: constant, empty of finite values, tiny and huge fields are drawn", "[io][figure]")
{
  if (gnuplot_missing()) return;
  const tests::TemporaryFolder folder;
  const auto png = folder / "fields.png";
  draw_fields(png, {{.title = "zero", .values = torch::zeros({4, 4})},
                    {.title = "constant", .values = torch::full({4, 4}, 7e20), .unit = "kg m-3"},
                    {.title = "none", .values = torch::full({4, 4}, NAN), .colours = ColourMap::diverging},
                    {.title = "one value", .values = torch::full({1, 1}, -1e-300, torch::kFloat64)},
                    {.title = "large", .values = torch::arange(700 * 600).reshape({700, 600})}});
  CHECK(is_png(png));
  CHECK(says(content_of(folder / "fields.gp"), {"10²⁰ kg m⁻³"}));
  draw_histogram(folder / "one.png", torch::tensor({1.0}), {.title = "", .x = "x", .y = "count"});
  CHECK(is_png(folder / "one.png"));
}

TEST_CASE("histogram: every finite value is counted once", "[io][figure]")
{
  if (gnuplot_missing()) return;
  const tests::TemporaryFolder folder;
  torch::manual_seed(5);
  auto values = torch::randn({1000}, torch::kFloat64);
  values[3] = NAN;
  draw_histogram(folder / "errors.png", values, {.title = "", .x = "error", .y = "samples"});
  std::ifstream data(folder / "errors.dat");
  std::string comment;
  std::getline(data, comment);
  double sum = 0;
  for (double centre, count; data >> centre >> count;) sum += count;
  CHECK(sum == 999);
}

namespace {

/// Another PATH for as long as it lives.
class Path {
 public:
  explicit Path(const std::filesystem::path& path) : old_(std::getenv("PATH")) { setenv("PATH", path.c_str(), 1); }
  ~Path() { setenv("PATH", old_.c_str(), 1); }

 private:
  std::string old_;
};

}  // namespace

TEST_CASE("figures: a missing or failing gnuplot, a missing folder are named with the remedy", "[io][figure][error]")
{
  const tests::TemporaryFolder folder;
  const Curve curve{.name = "u", .x = torch::arange(3), .y = torch::arange(3)};
  CHECK(says(message_of([&] { draw_curves(folder / "none/u.png", {curve}, {}); }), {"none/u.dat", "No such file"}));
  CHECK(says(message_of([&] { draw_histogram(folder / "u.png", torch::full({2}, NAN), {}); }), {"no finite value"}));
  CHECK(says(message_of([&] { draw_fields(folder / "u.png", {{.title = "u", .values = torch::zeros({3})}}); }),
             {"panel \"u\"", "[3]", "[y, x]"}));
  CHECK(says(message_of([&] {
               draw_curves(folder / "u.png", {{"v", torch::zeros(3), torch::zeros(2)}}, {});
             }),
             {"curve \"v\"", "x [3], y [2]"}));

  const Path path(folder.path());
  CHECK(says(message_of([&] { draw_curves(folder / "u.png", {curve}, {}); }),
             {"u.png", "no gnuplot on PATH", "apt install gnuplot-nox", "gnuplot ./u.gp"}));
  std::ofstream(folder / "gnuplot") << "#!/bin/sh\necho \"line 3: unknown terminal type\" >&2\nexit 1\n";
  std::filesystem::permissions(folder / "gnuplot", std::filesystem::perms::owner_all);
  CHECK(says(message_of([&] { draw_curves(folder / "u.png", {curve}, {}); }),
             {"found line 3: unknown terminal type", "try   `gnuplot ./u.gp`"}));
}

TEST_CASE("figures: numbers beside their labels, with bars where they are uncertain", "[io][figure]")
{
  if (gnuplot_missing()) return;
  const tests::TemporaryFolder folder;
  const auto png = folder / "marks.png";
  const std::vector<Marks> marks = {
      {"found", torch::tensor({-0.98, std::nan("")}, torch::kFloat64), torch::tensor({0.02, 0.0}, torch::kFloat64)},
      {"true", torch::tensor({-1.0, 0.0}, torch::kFloat64), {}}};
  draw_marks(png, {"u*dx(u)", "dxx(u)"}, marks, {.title = "", .x = "coefficient", .y = ""});
  CHECK(is_png(png));
  CHECK(says(content_of(folder / "marks.gp"), {"'u*dx(u)' 1", "'dxx(u)' 0"}));
  CHECK(says(content_of(folder / "marks.dat"), {"-0.98 1.12 0.02", "-1 0.88 0"}));
  CHECK(says(message_of([&] { draw_marks(png, {"a"}, marks, {}); }), {"marks \"found\"", "[1], one a label"}));
}

TEST_CASE("streamlines: go round in circles where the flow does, and leave no wide gaps", "[io]")
{
  const std::int64_t n = 61;
  const torch::Tensor x = (torch::arange(n, torch::kFloat64) - 30), y = x.unsqueeze(1);
  const auto lines = io::streamlines(torch::stack({(-y).expand({n, n}), x.expand({n, n})}));
  REQUIRE(lines.size() > 5);
  double drift = 0;
  std::set<int> radii;
  for (const auto& line : lines) {
    const auto radius = [](const auto& point) { return std::hypot(point[0] - 30, point[1] - 30); };
    for (const auto& point : line) drift = std::max(drift, std::abs(radius(point) - radius(line.front())));
    radii.insert(static_cast<int>(radius(line.front()) / 5));
  }
  CHECK(drift < 0.3);        // of a cell, after hundreds of steps of the midpoint rule
  CHECK(radii.size() >= 6);  // from the middle to the edge
  CHECK(io::streamlines(torch::zeros({2, n, n})).empty());
}
