#include <locum/assimilation/diagnostics.hpp>
#include <locum/assimilation/sources.hpp>

#include <cmath>

#include "small_problems.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/hdf5_files.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using namespace locum::assimilation;
using namespace locum::tests;

namespace {

Sample plane(bool periodic)
{
  Grid grid;
  grid.axes = {{.name = "y", .points = 5, .origin = 1, .spacing = 0.5, .periodic = false, .unit = "1"},
               {.name = "x", .points = 8, .origin = 0, .spacing = 0.25, .periodic = periodic, .unit = "1"}};
  const Tensor y = grid.coordinates(0).view({1, 1, 5, 1}), x = grid.coordinates(1).view({1, 1, 1, 8});
  const Tensor linear = 3 * y - 2 * x + x * y;
  return {.domain = grid,
          .fields = {{"p", {.values = linear.expand({1, 1, 5, 8}).contiguous(), .unit = "1"}},
                     {"v", {.values = torch::cat({linear, -2 * linear}, 1).contiguous(), .unit = "1"}}},
          .scalars = {},
          .time = 0};
}

ObservationError unit_error(std::size_t count)
{
  return ObservationError(Vector::Ones(static_cast<Eigen::Index>(count)));
}

}  // namespace

TEST_CASE("observations: between grid points values are linear along every axis", "[assimilation]")
{
  const Sample state = plane(/*periodic=*/false);
  const StateLayout layout(state, {"p", "v"});
  const Matrix packed = layout.pack(state);
  const std::vector<Place> places = {{"p", 0, {1.2, 0.6}}, {"v", 1, {2.9, 1.7}}, {"v", 0, {1, 0}}, {"p", 0, {3, 1.75}}};
  const auto exact = [](double y, double x) { return 3 * y - 2 * x + x * y; };
  const Network network = point_network(layout, places, unit_error(4));
  const Matrix seen = network.instruments->observe(packed);
  CHECK_THAT(seen(0, 0), WithinAbs(exact(1.2, 0.6), 1e-13));
  CHECK_THAT(seen(0, 1), WithinAbs(-2 * exact(2.9, 1.7), 1e-13));
  CHECK_THAT(seen(0, 2), WithinAbs(exact(1, 0), 1e-13));
  CHECK_THAT(seen(0, 3), WithinAbs(exact(3, 1.75), 1e-13));
  // Round a periodic axis, from the last point to the first.
  const Sample round = plane(/*periodic=*/true);
  const StateLayout periodic(round, {"p"});
  const Matrix across =
      point_network(periodic, {{"p", 0, {1, 1.875}}}, unit_error(1)).instruments->observe(periodic.pack(round));
  CHECK_THAT(across(0, 0), WithinAbs((exact(1, 1.75) + exact(1, 0)) / 2, 1e-13));
}

TEST_CASE("observations: gradients are those of what is seen", "[assimilation]")
{
  const Sample state = random_line(6, 1, 4);
  const StateLayout layout(state, {"u"});
  const RowVector x = layout.pack(state).row(0);
  for (const Seen seen : {Seen::value, Seen::absolute, Seen::square}) {
    const Network network = point_network(layout, {{"u", 0, {1.3}}, {"u", 0, {4}}}, unit_error(2), seen);
    RowVector weights(2);
    weights << 0.7, -1.1;
    const RowVector gradient = network.instruments->gradient(x, weights);
    for (Eigen::Index i = 0; i < 6; ++i) {
      constexpr double h = 1e-6;
      RowVector up = x, down = x;
      up[i] += h;
      down[i] -= h;
      const double slope =
          (network.instruments->observe(up) - network.instruments->observe(down)).row(0).dot(weights) / (2 * h);
      CHECK_THAT(gradient[i], WithinAbs(slope, 1e-8));
    }
  }
}

TEST_CASE("observations: errors whiten and colour", "[assimilation]")
{
  const StateLayout layout(random_line(10, 1, 1), {"u"});
  const auto places = grid_places(layout, {"u"}, 2);
  const ObservationError error = correlated_error(layout, places, 0.3, 2);
  const Matrix normal_numbers = normal(1, "numbers", 0, 4, 5);
  Matrix back = error.colour(normal_numbers);
  error.whiten(back);
  CHECK((back - normal_numbers).norm() < 1e-13);
  const Matrix colours = error.colour(normal(1, "many", 0, 40000, 5));
  CHECK((colours.transpose() * colours / 40000 - error.covariance()).norm() / error.covariance().norm() < 0.02);
}

TEST_CASE("observations: what cannot be is refused by number and place", "[assimilation][error]")
{
  const StateLayout layout(plane(false), {"p", "v"});
  const auto message = [&](const std::vector<Place>& places) {
    return message_of([&] { point_network(layout, places, unit_error(places.size())); });
  };
  CHECK(says(message({{"p", 0, {1, 0}}, {"p", 0, {3.2, 0}}}), {"observation 1", "y = 3.2", "from 1 to 3"}));
  CHECK(says(message({{"p", 0, {1, 0}}, {"v", 0, {1, 0}}, {"p", 0, {1, 0}}}),
             {"observation 2", "same place", "observation 0"}));
  CHECK(says(message({{"q", 0, {1, 0}}}), {"q", "p, v"}));
  CHECK(says(message({{"v", 2, {1, 0}}}), {"component 2", "no such component"}));
  CHECK(says(message({{"p", 0, {NAN, 0}}}), {"y = nan"}));
  CHECK(says(message_of([] { ObservationError(Vector::Zero(1)); }), {"deviation of 0", "above 0"}));
  Eigen::MatrixXd singular = Eigen::MatrixXd::Ones(2, 2);
  CHECK(says(message_of([&] { ObservationError::with_covariance(singular); }), {"not positive definite"}));
}

TEST_CASE("observations: recorded ones come by time, and bad rows are named", "[assimilation][error]")
{
  const tests::TemporaryFolder folder;
  const StateLayout layout(random_line(6, 1, 1), {"u"});
  const auto write = [&](const std::vector<double>& time, const std::vector<double>& value,
                         const std::vector<double>& x, const std::vector<double>& deviation) {
    const auto file = folder / "observations.h5";
    {
      const auto h5 = tests::make_file(file);
      io::hdf5::create_group(h5.get(), "u", tests::writing);
      for (const auto& [name, numbers] :
           {std::pair{"time", time}, {"value", value}, {"x", x}, {"deviation", deviation}})
        io::hdf5::write(h5.get(), std::string("u/") + name, torch::tensor(numbers, torch::kFloat64), tests::writing);
    }
    return file;
  };
  RecordedObservations source(write({2, 1, 2, 0}, {20, 10, 21, 5}, {0.5, 3, 2, 1}, {1, 2, 3, 1}), layout, 0, 0,
                              Seen::value);
  CHECK(source.times() == 2);
  const auto first = source.next(), second = source.next();
  CHECK(first->time == 1);
  CHECK(first->values[0] == 10);
  CHECK(first->network->error.deviation()[0] == 2);
  CHECK(second->values.size() == 2);
  CHECK(second->values[1] == 21);
  CHECK_FALSE(source.next());

  const auto message = [&](const std::filesystem::path& file) {
    return message_of([&] { RecordedObservations(file, layout, 0, 0, Seen::value); });
  };
  CHECK(says(message(write({1, 1}, {1, NAN}, {1, 2}, {1, 1})), {"/u/value row 1", "nan", "finite"}));
  CHECK(says(message(write({1, 1}, {1, 2}, {1, 9}, {1, 1})), {"at time 1", "observation 1", "x = 9", "from 0 to 6"}));
  CHECK(says(message(write({1, 1}, {1, 2}, {1, 1}, {1, 1})), {"same place"}));
  CHECK(says(message(write({1, 1}, {1, 2}, {1, 2}, {1, -1})), {"/u/deviation row 1", "-1", "above 0"}));
  CHECK(says(message(write({-1, 0}, {1, 2}, {1, 2}, {1, 1})), {"no observations after time 0"}));
  CHECK(says(message(write({1, 2, 3}, {1, 2}, {1, 2}, {1, 1})), {"[2]", "[3]"}));
}

TEST_CASE("scores: those of distributions that are known", "[assimilation]")
{
  // CRPS of a normal distribution for its mean is (√2 − 1)/√π standard deviations (Gneiting & Raftery 2007, eq. 21).
  const Matrix members = normal(1, "members", 0, 4000, 3);
  CHECK_THAT(crps(members, RowVector::Zero(3)), WithinAbs((std::sqrt(2.0) - 1) / std::sqrt(std::acos(-1.0)), 0.01));
  CHECK(crps(Matrix::Constant(1, 1, 2.0), RowVector::Constant(1, 5.0)) == 3);
  // Of draws of one distribution every rank is as likely.
  Eigen::ArrayXd counts = Eigen::ArrayXd::Zero(5);
  const Matrix drawn = normal(2, "drawn", 0, 5, 20000);
  count_ranks(drawn.topRows(4), {}, drawn.row(4), counts);
  CHECK(((counts - 4000).square() / 4000).sum() < 18);  // χ² of 4 degrees of freedom: 1 in 1000 is above
}
