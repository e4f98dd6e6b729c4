#include <locum/io/datasets/dataset.hpp>

#include <fstream>
#include <locum/io/hdf5/hdf5.hpp>

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

/// A file in The Well's layout, two samples, three steps, 4 × 5 points, with one field of every kind.
void make_well(const std::filesystem::path& path, const Tensor& x = torch::arange(5, torch::kFloat32) / 4)
{
  const auto file = make_file(path);
  const auto attribute = [](const io::hdf5::ObjectHandle& object, const std::string& name, auto value) {
    io::hdf5::write_attribute(object.get(), name, value, writing);
  };
  const auto field = [&](const std::string& where, const Tensor& values, bool sample, bool time, bool y, bool x) {
    const auto dataset = io::hdf5::write(file.get(), where, values, writing);
    attribute(dataset, "sample_varying", sample);
    attribute(dataset, "time_varying", time);
    attribute(dataset, "dim_varying", std::vector<bool>{y, x});
    attribute(dataset, "units", std::string("m"));
  };
  const auto counting = [](std::vector<std::int64_t> shape) {
    const auto count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    return torch::arange(count, torch::kFloat32).reshape(shape);
  };
  io::hdf5::write_attribute(file.get(), "n_trajectories", std::int64_t{2}, writing);
  const auto dimensions = io::hdf5::create_group(file.get(), "dimensions", writing);
  attribute(dimensions, "spatial_dims", std::vector<std::string>{"y", "x"});
  io::hdf5::write(file.get(), "dimensions/time", torch::arange(3, torch::kFloat32) * 0.5, writing);
  io::hdf5::write(file.get(), "dimensions/y", torch::arange(4, torch::kFloat32) * 0.1, writing);
  io::hdf5::write(file.get(), "dimensions/x", x, writing);
  const auto walls = io::hdf5::create_group(file.get(), "boundary_conditions/all", writing);
  attribute(walls, "bc_type", std::string("Periodic"));
  attribute(walls, "associated_dims", std::string("x"));  // not a list: The Well's own writer does so
  field("t0_fields/steady", counting({2, 4, 5}), true, false, true, true);
  field("t0_fields/profile", counting({4}), false, false, true, false);
  field("t1_fields/velocity", counting({2, 3, 4, 5, 2}), true, true, true, true);
  field("t2_fields/stress", counting({2, 4, 5, 2, 2}), true, false, true, true);
  field("t2_fields/flat", counting({2, 4, 5, 4}), true, false, true, true);
  field("scalars/viscosity", counting({2}), true, false, true, true);
  field("scalars/forcing", counting({3}), false, true, true, true);
  for (const auto& [group, names] :
       std::map<std::string, std::vector<std::string>>{{"t0_fields", {"steady", "profile"}},
                                                       {"t1_fields", {"velocity"}},
                                                       {"t2_fields", {"stress", "flat"}},
                                                       {"scalars", {"viscosity", "forcing"}}})
    attribute(io::hdf5::open_child(file.get(), group, writing), "field_names", names);
}

}  // namespace

TEST_CASE("The Well: every kind of field has its values in place, components first", "[io]")
{
  const tests::TemporaryFolder folder;
  make_well(folder / "a.h5");
  const auto dataset = io::open_dataset(folder / "a.h5");
  REQUIRE(dataset->layout() == "The Well");
  REQUIRE(dataset->size() == 2);
  REQUIRE(dataset->steps() == 3);

  const auto sample = dataset->read({"steady", "profile", "velocity", "stress", "flat"}, 1, 1, 2);
  const auto value = [&](const std::string& name, std::int64_t c, std::int64_t y, std::int64_t x) {
    return sample.field(name).values[0][c][y][x].item<double>();
  };
  // Values count through the file: the one at [sample, (step,) y, x, component…] is known.
  CHECK(value("steady", 0, 2, 3) == (1 * 4 + 2) * 5 + 3);
  CHECK(value("profile", 0, 2, 3) == 2);
  CHECK(value("velocity", 1, 2, 3) == (((1 * 3 + 2) * 4 + 2) * 5 + 3) * 2 + 1);
  CHECK(value("stress", 2, 2, 3) == ((1 * 4 + 2) * 5 + 3) * 4 + 2);
  CHECK(value("flat", 2, 2, 3) == ((1 * 4 + 2) * 5 + 3) * 4 + 2);
  CHECK(sample.scalars.at("viscosity").values[0].item<double>() == 1);
  CHECK(sample.scalars.at("forcing").values[0].item<double>() == 2);
  CHECK(sample.field("velocity").unit == "m");
  CHECK(sample.field("velocity").values.scalar_type() == torch::kFloat32);
  CHECK(sample.time == 1.0);

  std::vector<std::int64_t> components;
  for (const auto& field : dataset->fields()) components.push_back(field.components);
  CHECK(components == std::vector<std::int64_t>{1, 1, 2, 4, 4});
}

TEST_CASE("The Well: the mask of a body is a field", "[io]")
{
  const tests::TemporaryFolder folder;
  make_well(folder / "a.h5");
  Tensor mask = torch::zeros({4, 5}, torch::kBool);
  mask[2][3] = true;
  {
    const auto file = io::hdf5::FileHandle(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const auto body = io::hdf5::create_group(file.get(), "boundary_conditions/body", writing);
    io::hdf5::write_attribute(body.get(), "bc_type", std::string("WALL"), writing);
    io::hdf5::write_attribute(body.get(), "associated_dims", std::vector<std::string>{"y", "x"}, writing);
    io::hdf5::write(file.get(), "boundary_conditions/body/mask", mask, writing);
  }
  const auto read = io::open_dataset(folder / "a.h5")->read({"boundary_body", "steady"}, 0, 2);
  CHECK(torch::equal(read.field("boundary_body").values[1][0], mask.to(torch::kFloat64)));
}

TEST_CASE("The Well: coordinates in float32 make a grid, periodic as the boundaries say", "[io]")
{
  const tests::TemporaryFolder folder;
  make_well(folder / "a.h5");
  const auto grid = io::open_dataset(folder / "a.h5")->read({"steady"}, 0, 1).grid();
  CHECK(grid.axes[0].name == "y");
  CHECK_THAT(grid.axes[0].spacing, WithinAbs(0.1, 1e-8));  // rounding of float32
  CHECK_FALSE(grid.axes[0].periodic);
  CHECK(grid.axes[1] == Axis{.name = "x", .points = 5, .origin = 0, .spacing = 0.25, .periodic = true, .unit = "1"});
}

TEST_CASE("The Well: coordinates at unequal distances are kept point by point", "[io]")
{
  const tests::TemporaryFolder folder;
  const auto x = torch::tensor({0.0, 0.1, 0.3, 0.6, 1.0}, torch::kFloat64);
  make_well(folder / "a.h5", x);
  const auto sample = io::open_dataset(folder / "a.h5")->read({"steady"}, 0, 1);
  const auto* grid = std::get_if<CurvilinearGrid>(&sample.domain);
  REQUIRE(grid);
  CHECK(torch::equal(grid->positions.select(-1, 1)[3], x));
}

TEST_CASE("The Well: rows read one by one are the rows of all", "[io][property]")
{
  const tests::TemporaryFolder folder;
  make_well(folder / "a.h5");
  const auto dataset = io::open_dataset(folder / "a.h5");
  const auto all = dataset->read({"velocity"}, 0, 2, 1).field("velocity").values;
  for (std::int64_t row = 0; row < 2; ++row)
    CHECK(torch::equal(dataset->read({"velocity"}, row, 1, 1).field("velocity").values[0], all[row]));
  CHECK(dataset->read({"velocity"}, 2, 0).batch() == 0);
}

TEST_CASE("The Well's own file: values as h5py reads them", "[io][data]")
{
  const auto file = shared_data("the_well/dummy.h5");
  if (file.empty()) {
    WARN("skipped: needs LOCUM_DATA/the_well/dummy.h5");
    return;
  }
  const auto dataset = io::open_dataset(file);
  CHECK(dataset->size() == 2);
  CHECK(dataset->steps() == 10);
  const auto sample = dataset->read({"constant_field", "field"}, 1, 1, 4);
  const auto& constant = sample.field("constant_field").values;
  CHECK(constant[0][0][3][0].item<float>() == 0.48244995f);
  CHECK(constant[0][0][3][3].item<float>() == 0.16965127f);
  CHECK(sample.field("field").values[0][0][5][6].item<float>() == 0.81000715f);
  CHECK(sample.field("field").values[0][1][5][6].item<float>() == 0.077113524f);
  CHECK(sample.scalars.at("a").values[0].item<double>() == 0.25);
  CHECK_THAT(sample.scalars.at("time_varying_scalar").values[0].item<double>(), WithinAbs(0.22582612, 5e-9));
  CHECK_THAT(sample.time, WithinAbs(4.0 / 9, 1e-7));
  CHECK(sample.grid().axes[0].name == "x");
  CHECK(sample.grid().axes[0].periodic);
  CHECK_THAT(sample.grid().axes[0].spacing, WithinAbs(1.0 / 31, 1e-8));

  double sum = 0;  // of all values, in float64
  for (std::int64_t step = 0; step < dataset->steps(); ++step)
    sum += dataset->read({"field"}, 0, 2, step).field("field").values.to(torch::kFloat64).sum().item<double>();
  CHECK_THAT(sum, WithinRel(20423.690964085366, 1e-12));
}

TEST_CASE("plain arrays: Darcy samples as h5py reads them", "[io][data]")
{
  const auto file = shared_data("darcy/darcy16_test.h5");
  if (file.empty()) {
    WARN("skipped: needs LOCUM_DATA/darcy/darcy16_test.h5");
    return;
  }
  const auto dataset = io::open_dataset(file);
  CHECK(dataset->size() == 50);
  const auto sample = dataset->read({"coeff", "sol"}, 49, 1);
  CHECK(sample.field("sol").values[0][0][7][8].item<float>() == 0.5255498f);
  CHECK_THAT(sample.field("sol").values.to(torch::kFloat64).sum().item<double>(), WithinRel(89.87269617068523, 1e-12));
  CHECK(sample.grid() == Grid::cell_centres({16, 16}, {1, 1}));
}

TEST_CASE("plain arrays: whole numbers become float64, other lengths are not offered", "[io]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "a.h5");
    io::hdf5::write(file.get(), "mask", torch::arange(12, torch::kInt64).reshape({3, 4}), writing);
    io::hdf5::write(file.get(), "u", torch::ones({3, 4}, torch::kFloat32), writing);
    io::hdf5::write(file.get(), "volume", torch::ones({3, 4, 5}, torch::kFloat64), writing);
    io::hdf5::write(file.get(), "viscosity", torch::ones({1, 1}), writing);
    io::hdf5::write(file.get(), "x", torch::ones({4}), writing);
  }
  const auto dataset = io::open_dataset(folder / "a.h5");
  CHECK(dataset->size() == 3);
  const auto sample = dataset->read({"mask", "u"}, 1, 2);
  CHECK(torch::equal(sample.field("mask").values.squeeze(1), torch::arange(4, 12, torch::kFloat64).reshape({2, 4})));
  CHECK(sample.field("u").values.scalar_type() == torch::kFloat32);

  const auto message = [&](std::vector<std::string> fields) {
    return message_of([&] { dataset->read(fields, 0, 1); });
  };
  CHECK(says(message({"x"}), {"a.h5:/x", "found 1 axes, [4]", "2 to 4 axes, [sample = 3, (z, y,) x]"}));
  CHECK(says(message({"viscosity"}), {"2 axes, [1, 1]", "[sample = 3"}));
  CHECK(says(message({"u", "volume"}), {"a.h5:/volume", "points [4, 5]", "[4], as u has", "one field at a time"}));
}

TEST_CASE("datasets: bad requests are named with the remedy", "[io][error]")
{
  const tests::TemporaryFolder folder;
  make_well(folder / "a.h5");
  const auto dataset = io::open_dataset(folder / "a.h5");
  CHECK(says(message_of([&] { dataset->read({"velocty"}, 0, 1); }),
             {"a.h5", "no field \"velocty\"", "steady, profile, velocity", "\"velocity\"", "`locum info "}));
  CHECK(says(message_of([&] { dataset->read({"steady"}, 1, 2); }),
             {"2 samples from sample 1 on", "some of its 2 samples"}));
  CHECK(says(message_of([&] { dataset->read({"steady"}, -1, 1); }), {"from sample -1 on"}));
  CHECK(says(message_of([&] { dataset->read({"steady"}, 0, 1, 3); }), {"step 3", "one of its 3 steps"}));
}

TEST_CASE("The Well: fields that contradict their attributes are named with the remedy", "[io][error]")
{
  const tests::TemporaryFolder folder;
  make_well(folder / "a.h5");
  const auto change = [&](const std::string& path, const Tensor& values, bool time_varying) {
    const auto file = io::hdf5::FileHandle(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    H5Ldelete(file.get(), path.c_str(), H5P_DEFAULT);
    const auto dataset = io::hdf5::write(file.get(), path, values, writing);
    io::hdf5::write_attribute(dataset.get(), "time_varying", time_varying, writing);
  };
  const auto message = [&] { return message_of([&] { io::open_dataset(folder / "a.h5")->read({"steady"}, 0, 1); }); };

  SECTION("no axis of steps")
  {
    change("t0_fields/steady", torch::ones({2, 4, 5}), true);
    CHECK(says(message(), {"reading samples: ", "a.h5:/t0_fields/steady", "3 axes, [2, 4, 5]",
                           "4 axes, [sample = 2, step = 3, y = 4, x = 5]", "time_varying"}));
  }
  SECTION("other points than the grid's")
  {
    change("t0_fields/steady", torch::ones({2, 5, 4}), false);
    CHECK(says(message(), {"[2, 5, 4]", "[sample = 2, y = 4, x = 5]"}));
  }
  SECTION("fewer samples than n_trajectories")
  {
    change("t0_fields/steady", torch::ones({1, 4, 5}), false);
    CHECK(says(message(), {"[1, 4, 5]", "sample = 2"}));
  }
  SECTION("a field that is named but not there")
  {
    const auto file = io::hdf5::FileHandle(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    H5Ldelete(file.get(), "t0_fields/profile", H5P_DEFAULT);
    H5Fflush(file.get(), H5F_SCOPE_LOCAL);
    CHECK(says(message(), {"a.h5:/t0_fields", "no \"profile\"", "steady", "`locum info "}));
  }
}

TEST_CASE("datasets: files that are none are named with the reason", "[io][error]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "darcy.h5";
  const auto message = [&](const std::filesystem::path& path) { return message_of([&] { io::open_dataset(path); }); };
  {
    const auto made = make_file(file);
    io::hdf5::write(made.get(), "u", torch::ones({100, 8, 8}), writing);
  }

  SECTION("a slip of the keyboard")
  {
    CHECK(says(message(folder / "dacry.h5"), {"dacry.h5", "No such file or directory", "try   ", "/darcy.h5"}));
  }
  SECTION("not HDF5")
  {
    std::ofstream(file) << "a,b\n1,2\n";
    CHECK(says(message(file), {"opening the dataset: ", "darcy.h5", "file signature not found", "HDF5"}));
  }
  SECTION("cut short")
  {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    CHECK(says(message(file), {"truncated file", "complete HDF5 file"}));
  }
  SECTION("empty")
  {
    std::filesystem::resize_file(file, 0);
    CHECK(says(message(file), {"darcy.h5", "complete HDF5 file"}));
  }
  SECTION("a folder without HDF5 files")
  {
    std::filesystem::create_directory(folder / "empty");
    CHECK(says(message(folder / "empty"), {"Is a directory"}));
  }
  SECTION("netCDF's classic format")
  {
    std::ofstream(file) << "CDF\1";
    CHECK(says(message(file), {"netCDF's classic format", "nccopy -k netCDF-4"}));
  }
  SECTION("MATLAB's older format")
  {
    std::ofstream(file) << "MATLAB 5.0 MAT-file, Platform: GLNXA64";
    CHECK(says(message(file), {"MATLAB's format of before 7.3", "save -v7.3"}));
  }
  SECTION("HDF5 without arrays")
  {
    {
      const auto made = make_file(file);
      io::hdf5::write(made.get(), "group/u", torch::ones({2, 3}), writing);
    }
    CHECK(says(message(file), {"neither a group t0_fields nor an array", "The Well's layout"}));
  }
  SECTION("an array that lives in another file")
  {
    {
      const auto made = make_file(folder / "b.h5");
      H5Lcreate_external(file.c_str(), "/u", made.get(), "u", H5P_DEFAULT, H5P_DEFAULT);
      H5Lcreate_soft("/u", made.get(), "v", H5P_DEFAULT, H5P_DEFAULT);
    }
    CHECK(says(message(folder / "b.h5"), {"b.h5:/v"}));
  }
}
