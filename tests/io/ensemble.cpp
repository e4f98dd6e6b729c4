#include <locum/io/datasets/dataset.hpp>
#include <locum/io/datasets/ensemble.hpp>
#include <locum/io/datasets/netcdf_writer.hpp>
#include <locum/io/hdf5/hdf5.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

namespace {

/// Members 0, 1, …, 10 times the pattern of points, on a grid of latitudes and longitudes.
Sample ensemble(std::int64_t members)
{
  Sample sample{
      .domain = Grid{{{.name = "latitude", .points = 3, .origin = 40, .spacing = -10, .unit = "degrees_north"},
                      {.name = "longitude",
                       .points = 4,
                       .origin = 0,
                       .spacing = 90,
                       .periodic = true,
                       .unit = "degrees_east"}}},
      .fields = {},
      .scalars = {},
      .time = 0};
  const Tensor pattern = torch::arange(1, 13, torch::kFloat32).reshape({1, 1, 3, 4});
  sample.fields["t"] = {.values = torch::arange(members, torch::kFloat32).reshape({-1, 1, 1, 1}) * 10 * pattern,
                        .unit = "K"};
  sample.scalars["co2"] = {.values = torch::arange(members, torch::kFloat64), .unit = "ppm"};
  return sample;
}

}  // namespace

TEST_CASE("ensembles: mean, deviation and quantiles of the members", "[io]")
{
  const auto summary = io::summarise(ensemble(11), {0.0, 0.25, 0.5});
  const auto value = [&](const std::string& name) { return summary.field(name).values[0][0][1][1].item<double>(); };
  CHECK(value("t_mean") == 300);                                      // 50 × 6
  CHECK_THAT(value("t_std"), WithinRel(60 * std::sqrt(11.0), 1e-6));  // of 0 … 10: √(110 / 10) = √11
  CHECK(value("t_q00") == 0);
  CHECK(value("t_q25") == 150);
  CHECK(value("t_q50") == 300);
  CHECK(summary.field("t_std").unit == "K");
  CHECK(summary.scalars.at("co2").values.item<double>() == 5);
  CHECK(io::summarise(ensemble(1)).field("t_std").values.abs().max().item<double>() == 0);
  CHECK(says(message_of([&] { io::summarise(ensemble(0)); }), {"0 members", "at least one member"}));
}

TEST_CASE("netCDF: dimensions are stored as HDF5's specification of dimension scales says", "[io]")
{
  const tests::TemporaryFolder folder;
  io::write_netcdf(folder / "a.nc", {ensemble(2)}, {});
  const io::hdf5::FileHandle file(H5Fopen((folder / "a.nc").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  for (const char* name : {"time", "realization", "latitude", "longitude"}) {
    CAPTURE(name);
    const io::hdf5::AttributeHandle kind(H5Aopen_by_name(file.get(), name, "CLASS", H5P_DEFAULT, H5P_DEFAULT));
    const io::hdf5::TypeHandle type(H5Aget_type(kind.get()));
    CHECK(H5Tget_size(type.get()) == 16);  // "DIMENSION_SCALE" and its end; of another size, it is none
    CHECK(H5Tget_strpad(type.get()) == H5T_STR_NULLTERM);
  }
}

TEST_CASE("netCDF: what is written is read back: values, units, dates, members, land", "[io]")
{
  const tests::TemporaryFolder folder;
  auto now = ensemble(3), later = ensemble(3);
  now.time = 59;
  later.time = 60;
  later.fields["t"].values = later.field("t").values.clone();
  later.fields["t"].values[2][0][1][2] = std::numeric_limits<float>::quiet_NaN();
  for (Sample* step : {&now, &later}) step->fields["t@+1"] = step->fields["t"];
  io::write_netcdf(folder / "a.nc", {now, later},
                   {.title = "a test", .time_unit = "days since 2001-01-01", .calendar = "360_day"});
  const auto dataset = io::open_dataset(folder / "a.nc");
  CHECK(dataset->layout() == "netCDF-4");
  CHECK(dataset->size() == 3);
  CHECK(dataset->steps() == 2);
  CHECK(dataset->time_text(0, 0) == "2001-02-30 00:00:00");
  CHECK(dataset->provenance().at("title") == "a test");
  const auto read = dataset->read({"t"}, 0, 3, 1);
  CHECK(read.grid() == later.grid());
  CHECK(read.field("t").unit == "K");
  CHECK(torch::equal(read.field("t").values.nan_to_num(-1), later.field("t").values.nan_to_num(-1)));
  CHECK(dataset->describe("t_plus_1").time_varying);
  CHECK_FALSE(std::filesystem::exists(folder / "a.nc.partial"));
  CHECK(says(message_of([&] { io::write_netcdf(folder / "b.nc", {later, now}, {}); }), {"growing times"}));
}
