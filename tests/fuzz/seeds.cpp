// Writes small valid files into FOLDER/case, FOLDER/checkpoint and FOLDER/dataset, for the fuzzers to damage.
//     fuzz_seeds FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/io/datasets/dataset_writer.hpp>
#include <locum/io/hdf5/hdf5.hpp>

namespace {

using namespace locum;
namespace hdf5 = io::hdf5;

void write_text(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; }

void write_cases(const std::filesystem::path& folder)
{
  write_text(folder / "sections",
             "[model]\nname = \"fourier\"\nmodes = [12, 12]  # kept\n[solver.petsc]\nrtol = 1e-8\n");
  write_text(folder / "values",
             "a = true\nb = -0x1F\nc = [1, 2.5, inf]\nd = '''x\ny'''\ne = { f = \"\\u00e9\", g.h = [] }\n");
  write_text(folder / "refused", "a = 2024-05-01T00:00:00Z\n[[b]]\nc = [[1], [2]]\n[b.d]\n\"e.f\" = 1_000\n");
}

void write_checkpoint(const std::filesystem::path& file)
{
  io::Checkpoint checkpoint;
  checkpoint.put("model/options", "name = \"fourier\"\n");
  checkpoint.put("model/weights/lift", torch::arange(6, torch::kFloat32).reshape({2, 3}));
  checkpoint.put("epoch", 3);
  checkpoint.write(file);
}

/// The Well's layout, as we write it.
void write_well(const std::filesystem::path& file)
{
  io::DatasetHeader header;
  header.name = "seed";
  header.samples = 2;
  header.grid = Grid::cell_centres({3, 2}, {1, 1});
  header.fields = {{.name = "u", .unit = "m", .components = 1, .time_varying = false},
                   {.name = "v", .unit = "m s-1", .components = 2, .time_varying = true}};
  header.scalars = {{"re", "1"}};
  header.provenance = {{"seed", "7"}};
  Sample rows{.domain = header.grid, .fields = {}, .scalars = {}, .time = 0};
  rows.fields["u"] = {.values = torch::ones({2, 1, 3, 2}), .unit = "m"};
  rows.fields["v"] = {.values = torch::ones({2, 2, 3, 2}), .unit = "m s-1"};
  rows.scalars["re"] = {.values = torch::ones({2}), .unit = "1"};
  io::DatasetWriter writer({}, file, header);
  writer.write(0, rows);
  writer.close();
}

/// Plain arrays, chunked and packed, in both of HDF5's formats.
void write_arrays(const std::filesystem::path& file, H5F_libver_t format)
{
  const hdf5::Task task{.doing = "writing", .where = file.string(), .access = hdf5::Task::Access::write};
  const hdf5::PropertyHandle access(hdf5::check(H5Pcreate(H5P_FILE_ACCESS), task));
  hdf5::check(H5Pset_libver_bounds(access.get(), format, H5F_LIBVER_LATEST), task);
  const hdf5::FileHandle made(hdf5::check(H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), task));
  const auto u = hdf5::write(made.get(), "u", torch::arange(16, torch::kFloat32).reshape({4, 4}), task);
  hdf5::write_attribute(u.get(), "units", std::string("K"), task);

  const hsize_t extents[] = {4, 6}, most[] = {H5S_UNLIMITED, 6}, chunk[] = {2, 6};
  const hdf5::SpaceHandle space(hdf5::check(H5Screate_simple(2, extents, most), task));
  const hdf5::PropertyHandle creation(hdf5::check(H5Pcreate(H5P_DATASET_CREATE), task));
  hdf5::check(H5Pset_chunk(creation.get(), 2, chunk), task);
  hdf5::check(H5Pset_shuffle(creation.get()), task);
  hdf5::check(H5Pset_deflate(creation.get(), 6), task);
  hdf5::check(H5Pset_fletcher32(creation.get()), task);
  const hdf5::ObjectHandle packed(hdf5::check(
      H5Dcreate2(made.get(), "packed", H5T_STD_I16BE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), task));
  const std::vector<std::int64_t> values(24, 3);
  hdf5::check(H5Dwrite(packed.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), task);
}

}  // namespace

int main(int argc, char** argv)
{
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  for (const char* kind : {"case", "checkpoint", "dataset"}) std::filesystem::create_directories(folder / kind);
  write_cases(folder / "case");
  write_checkpoint(folder / "checkpoint/small");
  write_well(folder / "dataset/well");
  write_arrays(folder / "dataset/arrays", H5F_LIBVER_EARLIEST);
  write_arrays(folder / "dataset/arrays_latest", H5F_LIBVER_LATEST);
}
