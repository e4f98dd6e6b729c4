#include <locum/assimilation/geometry.hpp>

#include <cmath>
#include <map>

#include "small_problems.hpp"
#include "support/catch.hpp"

using namespace locum;
using namespace locum::assimilation;
using namespace locum::tests;

TEST_CASE("Gaspari and Cohn's taper: values, and a smooth end", "[assimilation]")
{
  CHECK(gaspari_cohn(0, 3) == 1);
  CHECK_THAT(gaspari_cohn(3, 3), WithinAbs(5.0 / 24, 1e-15));  // of their eq. 4.10 at z = 1, from either side
  CHECK_THAT(gaspari_cohn(3 * (1 + 1e-12), 3), WithinAbs(5.0 / 24, 1e-11));
  CHECK(gaspari_cohn(6, 3) == 0);
  CHECK(gaspari_cohn(5.99, 3) < 1e-8);
  for (double z = 0; z < 2; z += 0.01) CHECK(gaspari_cohn(z + 0.01, 1) <= gaspari_cohn(z, 1));
}

TEST_CASE("neighbours: those that a search of all pairs finds", "[assimilation]")
{
  const auto axis = [](const std::string& name, std::int64_t points, double origin, double spacing, bool periodic,
                       const std::string& unit = "1") { return Axis{name, points, origin, spacing, periodic, unit}; };
  const std::map<std::string, Grid> grids = {
      {"line", {{axis("x", 30, 0, 1, false)}}},
      {"circle", {{axis("x", 30, 0, 1, true)}}},
      {"torus", {{axis("y", 9, 1, 2, true), axis("x", 14, 0, 1, true)}}},
      {"channel", {{axis("y", 9, 0, 2, false), axis("x", 14, -3, 1, true)}}},
      {"sphere",
       {{axis("latitude", 9, -80, 20, false, "degrees_north"), axis("longitude", 12, 0, 30, true, "degrees_east")}}}};
  for (const auto& [name, grid] : grids) {
    const Geometry geometry(grid);
    const Matrix points = geometry.points();
    for (const double length : {0.6, 1.7, 50.0}) {
      const double scaled = name == "sphere" ? 1000 * length : length;
      INFO(name << ", length " << scaled);
      const Matrix others = points.bottomRows(points.rows() / 3);
      const Neighbours found = find_neighbours(geometry, points, others, scaled);
      std::vector<std::int64_t> index;
      std::vector<double> weight;
      for (Eigen::Index i = 0; i < points.rows(); ++i) {
        CHECK(found.first[static_cast<std::size_t>(i)] == static_cast<std::int64_t>(index.size()));
        for (Eigen::Index j = 0; j < others.rows(); ++j)
          if (const double w = gaspari_cohn(geometry.distance(points.row(i), others.row(j)), scaled); w > 0) {
            index.push_back(j);
            weight.push_back(w);
          }
      }
      CHECK(found.index == index);
      CHECK(found.weight == weight);
    }
  }
}

TEST_CASE("distances on a sphere are great circles", "[assimilation]")
{
  Grid grid;
  grid.axes = {
      {.name = "latitude", .points = 3, .origin = -90, .spacing = 90, .periodic = false, .unit = "degrees_north"},
      {.name = "longitude", .points = 4, .origin = 0, .spacing = 90, .periodic = true, .unit = "degrees_east"}};
  const Geometry geometry(grid);
  const double quarter = 6371 * std::acos(0.0);
  CHECK_THAT(geometry.distance(geometry.place({0, 0}), geometry.place({0, 90})), WithinRel(quarter, 1e-12));
  CHECK_THAT(geometry.distance(geometry.place({0, 350}), geometry.place({0, 10})), WithinRel(quarter * 20 / 90, 1e-12));
  CHECK_THAT(geometry.distance(geometry.place({90, 0}), geometry.place({90, 123})), WithinAbs(0, 1e-6));
}
