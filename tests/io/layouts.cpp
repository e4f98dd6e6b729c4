// Other people's files, written as their writers do, odd corners included.
#include <locum/io/datasets/calendar.hpp>
#include <locum/io/datasets/dataset.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/hdf5_files.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::make_file;
using tests::message_of;
using tests::says;
using tests::shared_data;
using tests::writing;

namespace {

/// 0, 1, 2, …: a value tells where it stood in the file.
Tensor counting(const std::vector<std::int64_t>& shape, torch::Dtype type = torch::kFloat32)
{
  std::int64_t count = 1;
  for (const auto n : shape) count *= n;
  return torch::arange(count, type).reshape(shape);
}

void put(const io::hdf5::FileHandle& file, const std::string& path, const Tensor& values)
{
  io::hdf5::write(file.get(), path, values, writing);
}

template <class Value>
void attribute(hid_t object, const std::string& name, const Value& value)
{
  io::hdf5::write_attribute(object, name, value, writing);
}

/// An array of a netCDF-4 file: its values, its unit, and references to the scales of its axes.
io::hdf5::ObjectHandle put_variable(const io::hdf5::FileHandle& file, const std::string& name, const Tensor& values,
                                    const std::string& unit, const std::vector<std::string>& axes)
{
  auto dataset = io::hdf5::write(file.get(), name, values, writing);
  if (!unit.empty()) attribute(dataset.get(), "units", unit);
  if (axes.empty()) {
    attribute(dataset.get(), "CLASS", std::string("DIMENSION_SCALE"));
    attribute(dataset.get(), "NAME", name);
    return dataset;
  }
  std::vector<hobj_ref_t> references(axes.size());
  std::vector<hvl_t> lists;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    H5Rcreate(&references[i], file.get(), axes[i].c_str(), H5R_OBJECT, -1);
    lists.push_back({.len = 1, .p = &references[i]});
  }
  const io::hdf5::TypeHandle type(H5Tvlen_create(H5T_STD_REF_OBJ));
  const hsize_t count = axes.size();
  const io::hdf5::SpaceHandle space(H5Screate_simple(1, &count, nullptr));
  const io::hdf5::AttributeHandle list(
      H5Acreate2(dataset.get(), "DIMENSION_LIST", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
  H5Awrite(list.get(), type.get(), lists.data());
  return dataset;
}

std::vector<std::string> names_of(const std::vector<io::FieldDescription>& fields)
{
  std::vector<std::string> names;
  for (const auto& field : fields) names.push_back(field.name);
  return names;
}

double value_at(const Sample& sample, const std::string& name, std::vector<std::int64_t> position)
{
  Tensor value = sample.field(name).values[0];
  for (const auto i : position) value = value[i];
  return value.item<double>();
}

}  // namespace

TEST_CASE("PDEBench: one array, coordinates, one time too many", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "1D_Burgers.hdf5");
    put(file, "tensor", counting({3, 4, 8}));
    put(file, "x-coordinate", torch::arange(8, torch::kFloat32) / 8 + 0.0625);
    put(file, "t-coordinate", torch::arange(5, torch::kFloat32) * 0.5);
    attribute(file.get(), "Nu", 0.01);
  }
  const auto dataset = io::open_dataset(folder / "1D_Burgers.hdf5");
  CHECK(dataset->layout() == "PDEBench");
  CHECK(dataset->size() == 3);
  CHECK(dataset->steps() == 4);
  const auto sample = dataset->read({"tensor"}, 2, 1, 3);
  CHECK(value_at(sample, "tensor", {0, 5}) == (2 * 4 + 3) * 8 + 5);
  CHECK(sample.scalars.at("Nu").values[0].item<double>() == 0.01);
  CHECK(sample.time == 1.5);
  CHECK(sample.grid().axes[0] == Axis{.name = "x", .points = 8, .origin = 0.0625, .spacing = 0.125});
  // A number of the sample as a field: the same everywhere.
  CHECK(torch::equal(dataset->read({"tensor", "Nu"}, 0, 2).field("Nu").values,
                     torch::full({2, 1, 8}, 0.01, torch::kFloat64)));
}

TEST_CASE("PDEBench: Darcy's solution has an axis of one, its permeability has not", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "darcy.hdf5");
    put(file, "tensor", counting({2, 1, 4, 5}));
    put(file, "nu", counting({2, 4, 5}));
    put(file, "x-coordinate", torch::arange(4, torch::kFloat32));
    put(file, "y-coordinate", torch::arange(5, torch::kFloat32));
    attribute(file.get(), "beta", 1.0);
  }
  const auto dataset = io::open_dataset(folder / "darcy.hdf5");
  CHECK(dataset->steps() == 1);
  const auto sample = dataset->read({"nu", "tensor"}, 1, 1);
  CHECK(value_at(sample, "tensor", {0, 2, 3}) == (1 * 4 + 2) * 5 + 3);
  CHECK(value_at(sample, "nu", {0, 2, 3}) == (1 * 4 + 2) * 5 + 3);
  CHECK(sample.grid().axes[0].name == "x");
}

TEST_CASE("PDEBench: compressible flow in two and three dimensions", "[io]")
{
  const tests::TemporaryFolder folder;
  const bool deep = GENERATE(false, true);
  std::vector<std::int64_t> shape = {2, 3, 4, 5};
  if (deep) shape.push_back(6);
  {
    const auto file = make_file(folder / "cfd.hdf5");
    for (const char* name : {"density", "pressure", "Vx", "Vy"}) put(file, name, counting(shape));
    put(file, "x-coordinate", torch::arange(4, torch::kFloat32));
    put(file, "y-coordinate", torch::arange(5, torch::kFloat32));
    if (deep) put(file, "z-coordinate", torch::arange(6, torch::kFloat32));
    put(file, "t-coordinate", torch::arange(4, torch::kFloat32));
    attribute(file.get(), "eta", 0.1);
    attribute(file.get(), "M", 1.0);
  }
  const auto dataset = io::open_dataset(folder / "cfd.hdf5");
  CHECK(names_of(dataset->fields()) == std::vector<std::string>{"Vx", "Vy", "density", "pressure"});
  CHECK(names_of(dataset->scalars()) == std::vector<std::string>{"M", "eta"});
  const auto sample = dataset->read({"density", "Vy"}, 1, 1, 2);
  const double before = ((1 * 3 + 2) * 4 + 3) * 5 + 4;
  if (deep) CHECK(value_at(sample, "Vy", {0, 3, 4, 5}) == before * 6 + 5);
  else CHECK(value_at(sample, "Vy", {0, 3, 4}) == before);
}

TEST_CASE("PDEBench: a group a sample", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "2D_diff-react.h5");
    for (int i = 0; i < 12; ++i) {
      const std::string group = fmt::format("{:04}", i);
      put(file, group + "/data", counting({3, 4, 5, 2}) + 1000 * i);
      put(file, group + "/grid/x", torch::arange(4, torch::kFloat32));
      put(file, group + "/grid/y", torch::arange(5, torch::kFloat32));
      put(file, group + "/grid/t", torch::arange(3, torch::kFloat32) * 0.5);
      attribute(io::hdf5::open_child(file.get(), group, writing).get(), "config", std::string("sim: {}"));
    }
  }
  const auto dataset = io::open_dataset(folder / "2D_diff-react.h5");
  CHECK(dataset->layout() == "PDEBench, a group a sample");
  CHECK(dataset->size() == 12);
  CHECK(dataset->steps() == 3);
  const auto sample = dataset->read({"data"}, 11, 1, 1);
  CHECK(value_at(sample, "data", {1, 2, 3}) == 11000 + ((1 * 4 + 2) * 5 + 3) * 2 + 1);
  CHECK(dataset->describe("data").axes.front() == std::pair<std::string, std::int64_t>("sample", 12));
}

TEST_CASE("PDEBench: incompressible flow has its own time a sample", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "ns_incom.h5");
    put(file, "velocity", counting({2, 3, 4, 5, 2}));
    put(file, "particles", counting({2, 3, 4, 5, 1}));
    put(file, "force", counting({2, 4, 5, 2}));
    put(file, "t", counting({2, 3}));
  }
  const auto dataset = io::open_dataset(folder / "ns_incom.h5");
  const auto sample = dataset->read({"velocity", "particles", "force"}, 1, 1, 2);
  CHECK(value_at(sample, "velocity", {1, 3, 4}) == ((((1 * 3 + 2) * 4 + 3) * 5 + 4) * 2) + 1);
  CHECK(value_at(sample, "force", {1, 3, 4}) == (((1 * 4) + 3) * 5 + 4) * 2 + 1);
  CHECK(sample.time == 5);
}

TEST_CASE("MATLAB 7.3: all axes are reversed", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    // In MATLAB: coeff(3, 4, 5), u(3, 4, 5, 2), t(1, 2), visc(1, 1).
    const auto file = make_file(folder / "ns.mat");
    put(file, "a", counting({5, 4, 3}, torch::kFloat64));
    put(file, "u", counting({2, 5, 4, 3}, torch::kFloat64));
    put(file, "t", torch::tensor({{1.0}, {2.0}}, torch::kFloat64));
    put(file, "visc", torch::tensor({{1e-3}}, torch::kFloat64));
    for (const char* name : {"a", "u", "t", "visc"})
      attribute(io::hdf5::open_child(file.get(), name, writing).get(), "MATLAB_class", std::string("double"));
  }
  const auto dataset = io::open_dataset(folder / "ns.mat");
  CHECK(dataset->size() == 3);
  CHECK(dataset->steps() == 2);
  const auto sample = dataset->read({"a", "u"}, 2, 1, 1);
  CHECK(value_at(sample, "a", {0, 1, 4}) == (4 * 4 + 1) * 3 + 2);  // a(3, 2, 5) in MATLAB
  CHECK(value_at(sample, "u", {0, 1, 4}) == ((1 * 5 + 4) * 4 + 1) * 3 + 2);
  CHECK(sample.scalars.at("visc").values[0].item<double>() == 1e-3);
  CHECK(sample.time == 2);
  CHECK(sample.grid().shape() == std::vector<std::int64_t>{4, 5});
}

TEST_CASE("netCDF: packing, fill values, dates, an ensemble, longitudes that go round", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "a.nc");
    put_variable(file, "lat", torch::tensor({-45.0, 0.0, 45.0}), "degrees_north", {});
    put_variable(file, "lon", torch::arange(4, torch::kFloat32) * 90, "degrees_east", {});
    const auto time = put_variable(file, "time", torch::tensor({59.0, 60.0}), "days since 2000-01-01", {});
    attribute(time.get(), "calendar", std::string("noleap"));
    attribute(time.get(), "bounds", std::string("time_bnds"));
    const auto member = put_variable(file, "member", torch::arange(2), "1", {});
    attribute(member.get(), "standard_name", std::string("realization"));
    const auto none = put_variable(file, "bnds", torch::zeros({2}), "", {});
    H5Adelete(none.get(), "NAME");
    attribute(none.get(), "NAME", std::string("This is a netCDF dimension but not a netCDF variable.         2"));
    put_variable(file, "time_bnds", torch::zeros({2, 2}), "", {"time", "bnds"});
    const auto packed =
        put_variable(file, "sst", counting({2, 2, 3, 4}, torch::kInt64), "K", {"time", "member", "lat", "lon"});
    attribute(packed.get(), "_FillValue", std::int64_t{7});
    attribute(packed.get(), "scale_factor", 0.5);
    attribute(packed.get(), "add_offset", 270.0);
    Tensor depth = counting({3, 4});
    depth[1][1] = 9.9692099683868690e+36f;  // never written
    put_variable(file, "depth", depth, "m", {"lat", "lon"});
    put_variable(file, "co2", torch::tensor({400.0, 410.0}), "ppm", {"time"});
  }
  const auto dataset = io::open_dataset(folder / "a.nc");
  CHECK(dataset->layout() == "netCDF-4");
  CHECK(dataset->size() == 2);
  CHECK(dataset->steps() == 2);
  CHECK(names_of(dataset->fields()) == std::vector<std::string>{"depth", "sst"});
  CHECK(dataset->time_text(0, 0) == "2000-03-01 00:00:00");
  const auto sample = dataset->read({"sst", "depth"}, 1, 1, 1);
  CHECK(value_at(sample, "sst", {0, 2, 3}) == 270 + 0.5 * (((1 * 2 + 1) * 3 + 2) * 4 + 3));
  CHECK(std::isnan(value_at(dataset->read({"sst"}, 0, 1, 0), "sst", {0, 1, 3})));  // the 7
  CHECK(std::isnan(value_at(sample, "depth", {0, 1, 1})));
  CHECK(sample.field("sst").unit == "K");
  CHECK(sample.scalars.at("co2").values[0].item<double>() == 410);
  CHECK(sample.grid().axes[1] ==
        Axis{.name = "lon", .points = 4, .origin = 0, .spacing = 90, .periodic = true, .unit = "degrees_east"});
  CHECK_FALSE(sample.grid().axes[0].periodic);
}

TEST_CASE("netCDF: climate data as their own tools read them", "[io][data]")
{
  const auto file = shared_data("climate/A1B_north_america.nc"), ocean = shared_data("climate/ostia_monthly.nc");
  if (file.empty() || ocean.empty()) {
    WARN("skipped: needs LOCUM_DATA/climate");
    return;
  }
  const auto dataset = io::open_dataset(file);
  CHECK(dataset->steps() == 240);
  CHECK(dataset->describe("air_temperature").unit == "K");
  CHECK(names_of(dataset->scalars()) == std::vector<std::string>{"forecast_period"});
  CHECK(dataset->time_text(0, 0) == "1860-06-01 00:00:00");
  CHECK(dataset->read({"air_temperature"}, 0, 1).grid().axes[0].unit == "degrees_north");

  const auto sea = io::open_dataset(ocean)->read({"surface_temperature"}, 0, 1, 53);
  const Tensor known = sea.field("surface_temperature").values.isfinite();
  CHECK(known.logical_not().any().item<bool>());  // land
  CHECK(sea.field("surface_temperature").values.masked_select(known).max().item<float>() < 310);
}

TEST_CASE("calendars: dates of CF's calendars", "[io]")
{
  using io::date_of;
  CHECK(date_of(0, "days since 1858-11-17 00:00:00", "standard") == "1858-11-17 00:00:00");
  CHECK(date_of(51544.5, "days since 1858-11-17", "gregorian") == "2000-01-01 12:00:00");
  CHECK(date_of(1, "days since 1582-10-04", "standard") == "1582-10-15 00:00:00");
  CHECK(date_of(1, "days since 1582-10-04", "proleptic_gregorian") == "1582-10-05 00:00:00");
  CHECK(date_of(366, "days since 2000-01-01", "standard") == "2001-01-01 00:00:00");
  CHECK(date_of(365, "days since 2000-01-01", "noleap") == "2001-01-01 00:00:00");
  CHECK(date_of(59, "days since 2001-01-01", "all_leap") == "2001-02-29 00:00:00");
  CHECK(date_of(59, "days since 2001-01-01", "360_day") == "2001-02-30 00:00:00");
  CHECK(date_of(-1, "hours since 1970-01-01T00:00:00Z", "standard") == "1969-12-31 23:00:00");
  CHECK(date_of(-0.5, "days since 0001-01-01", "julian") == "0000-12-31 12:00:00");
  CHECK_FALSE(date_of(1, "days", "standard"));
  CHECK_FALSE(date_of(1, "fortnights since 2000-01-01", "standard"));
  CHECK_FALSE(date_of(1, "days since 2000-01-01", "martian"));
}

TEST_CASE("described arrays: any order of axes, groups, coordinates, parameters", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "mine.h5");
    put(file, "run/u", counting({5, 3, 2, 4}));  // [x, time, component, sample]
    put(file, "run/k", counting({5}));
    put(file, "run/x", torch::arange(6, torch::kFloat64) * 2);
    put(file, "re", counting({4, 1}));
  }
  io::DatasetOptions options;
  options.fields["velocity"] = {.path = "run/u", .axes = {"x", "time", "component", "sample"}, .unit = "m s-1"};
  options.fields["k"] = {.path = "run/k", .axes = {"x"}, .unit = ""};
  options.parameters["Re"] = {.path = "re", .axes = {"sample", "component"}, .unit = ""};
  options.axes["x"] = {.path = "run/x", .periodic = true, .unit = "m"};
  options.axes["time"] = {.path = "", .origin = 10, .spacing = 0.5, .unit = "s"};
  const auto dataset = io::open_dataset(folder / "mine.h5", options);
  CHECK(dataset->size() == 4);
  CHECK(dataset->steps() == 3);
  const auto sample = dataset->read({"velocity", "k"}, 2, 1, 1);
  CHECK(value_at(sample, "velocity", {1, 3}) == ((3 * 3 + 1) * 2 + 1) * 4 + 2);
  CHECK(value_at(sample, "k", {0, 3}) == 3);
  CHECK(sample.field("velocity").unit == "m s-1");
  CHECK(sample.scalars.at("Re").values[0].item<double>() == 2);
  CHECK(sample.time == 10.5);
  CHECK(sample.grid().axes[0] ==
        Axis{.name = "x", .points = 5, .origin = 0, .spacing = 2, .periodic = true, .unit = "m"});

  SECTION("axes that do not fit are named")
  {
    options.fields["velocity"].axes = {"x", "time", "sample"};
    CHECK(says(message_of([&] { io::open_dataset(folder / "mine.h5", options); }),
               {"data.fields.velocity.axes", "[x, time, sample]", "4 names", "[5, 3, 2, 4]"}));
  }
  SECTION("two numbers of samples")
  {
    options.parameters["Re"].axes = {"component", "sample"};
    CHECK(says(message_of([&] { io::open_dataset(folder / "mine.h5", options); }), {"sample = 1", "4, as in others"}));
  }
  SECTION("an axis there is not")
  {
    options.axes["y"] = {};
    CHECK(says(message_of([&] { io::open_dataset(folder / "mine.h5", options); }),
               {"data.axes.y", "no such axis", "time, x"}));
  }
  SECTION("an array there is not")
  {
    options.fields["k"].path = "run/kk";
    CHECK(says(message_of([&] { io::open_dataset(folder / "mine.h5", options); }), {"no \"kk\"", "k, u, x"}));
  }
  SECTION("every second point")
  {
    options.every = {2};
    const auto thin = io::open_dataset(folder / "mine.h5", options)->read({"velocity"}, 2, 1, 1);
    CHECK(thin.field("velocity").values.size(2) == 3);
    CHECK(value_at(thin, "velocity", {1, 1}) == ((2 * 3 + 1) * 2 + 1) * 4 + 2);
    CHECK(thin.grid().axes[0].spacing == 4);
    CHECK(thin.grid().axes[0].points == 3);
  }
}

TEST_CASE("described arrays: a group a sample, one array of a single trajectory", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "cars.h5");
    for (const char* car : {"car_0", "car_1"}) put(file, car + std::string("/distance"), counting({3, 4, 1}));
    put(file, "about", torch::zeros({2}));
  }
  io::DatasetOptions options;
  options.fields["distance"] = {.path = "*/distance", .axes = {"y", "x", "component"}, .unit = "m"};
  const auto dataset = io::open_dataset(folder / "cars.h5", options);
  CHECK(dataset->size() == 2);
  CHECK(value_at(dataset->read({"distance"}, 1, 1), "distance", {0, 2, 3}) == 11);
}

TEST_CASE("plain arrays: a trajectory beside its coordinates is one sample, in any order of axes", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "a.h5");
    put(file, "u", counting({3, 5, 4}));  // [x, t, y]
    put(file, "x", torch::tensor({-1.0, 0.0, 1.0}, torch::kFloat64));
    put(file, "y", torch::arange(4, torch::kFloat64));
    put(file, "t", torch::arange(5, torch::kFloat64) / 10);
  }
  const auto dataset = io::open_dataset(folder / "a.h5");
  CHECK(dataset->size() == 1);
  REQUIRE(dataset->steps() == 5);
  CHECK(dataset->time(0, 4) == 0.4);
  const auto sample = dataset->read({"u"}, 0, 1, 2);
  CHECK(sample.grid().axes[0].name == "x");
  CHECK(sample.grid().axes[0].origin == -1);
  CHECK(value_at(sample, "u", {0, 1, 3}) == (1 * 5 + 2) * 4 + 3);

  {  // x and t of one length: nobody knows which is which, so these are samples
    const auto file = make_file(folder / "b.h5");
    put(file, "u", counting({5, 5}));
    put(file, "x", torch::arange(5, torch::kFloat64));
    put(file, "t", torch::arange(5, torch::kFloat64));
  }
  CHECK(io::open_dataset(folder / "b.h5")->size() == 5);
}

TEST_CASE("recognised layouts: the case adds units and periodic axes", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "a.h5");
    put(file, "tensor", counting({2, 3, 4}));
    put(file, "x-coordinate", torch::arange(4, torch::kFloat32));
    put(file, "t-coordinate", torch::arange(3, torch::kFloat32));
  }
  io::DatasetOptions options;
  options.fields["tensor"].unit = "m s-1";
  options.axes["x"].periodic = true;
  options.axes["time"].unit = "s";
  const auto dataset = io::open_dataset(folder / "a.h5", options);
  CHECK(dataset->read({"tensor"}, 0, 1).field("tensor").unit == "m s-1");
  CHECK(dataset->read({"tensor"}, 0, 1).grid().axes[0].periodic);
  CHECK(dataset->time_unit() == "s");
  options.fields["tensr"].unit = "m";
  CHECK(says(message_of([&] { io::open_dataset(folder / "a.h5", options); }), {"[data.fields.tensr]", "PDEBench"}));
}

TEST_CASE("datasets: the files of a folder follow each other", "[io]")
{
  const tests::TemporaryFolder folder;
  const auto make = [&](const std::string& name, std::int64_t samples, double nu, std::int64_t points = 4) {
    const auto file = make_file(folder / name);
    put(file, "tensor", counting({samples, 3, points}) + 1000 * nu);
    put(file, "x-coordinate", torch::arange(points, torch::kFloat32));
    put(file, "t-coordinate", torch::arange(3, torch::kFloat32));
    attribute(file.get(), "Nu", nu);
  };
  make("a.h5", 2, 1);
  make("b.h5", 3, 2);
  const auto dataset = io::open_dataset(folder.path());
  CHECK(dataset->size() == 5);
  const auto sample = dataset->read({"tensor"}, 1, 2, 2);  // the last of one, the first of the other
  CHECK(sample.field("tensor").values[0][0][0].item<double>() == 1000 + (1 * 3 + 2) * 4);
  CHECK(sample.field("tensor").values[1][0][0].item<double>() == 2000 + 2 * 4);
  CHECK(torch::equal(sample.scalars.at("Nu").values, torch::tensor({1.0, 2.0}, torch::kFloat64)));
  make("c.h5", 1, 3, 5);
  CHECK(says(message_of([&] { io::open_dataset(folder.path()); }), {"c.h5", "x 5", "x 4", "as a.h5 has"}));
}
