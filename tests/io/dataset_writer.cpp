#include <locum/io/datasets/dataset_writer.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <limits>
#include <locum/core/agree.hpp>
#include <locum/core/random.hpp>
#include <locum/io/paraview/xdmf.hpp>
#include <regex>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/faults.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

namespace {

/// Seven samples of a scalar, a vector that evolves in two steps, a tensor, and one number each.
io::DatasetHeader small_header()
{
  io::DatasetHeader header;
  header.name = "test";
  header.samples = 7;
  header.grid = Grid::cell_centres({3, 4}, {0.7, 1.1});
  header.grid.axes[1].periodic = true;
  header.grid.axes[1].unit = "m";
  header.times = {0, 0.25};
  header.fields = {{.name = "permeability", .unit = "m2", .components = 1, .time_varying = false},
                   {.name = "velocity", .unit = "m s-1", .components = 2, .time_varying = true},
                   {.name = "stress", .unit = "Pa", .components = 4, .time_varying = false}};
  header.scalars = {{"reynolds_number", "1"}};
  header.provenance = {{"equation", "−∇·(a∇u) = 1"}, {"seed", "7"}};
  header.type = torch::kFloat64;
  return header;
}

/// Values that depend on the sample and step alone.
Sample small_samples(const io::DatasetHeader& header, std::int64_t first, std::int64_t count, std::int64_t step)
{
  Sample all{.domain = header.grid, .fields = {}, .scalars = {}, .time = 0};
  for (const auto& field : header.fields) {
    std::vector<Tensor> rows;
    for (std::int64_t sample = first; sample < first + count; ++sample)
      rows.push_back(RandomStream(7, field.name, static_cast<std::uint64_t>(100 * step + sample))
                         .normal({field.components, 3, 4}));
    all.fields[field.name] = {.values = torch::stack(rows), .unit = field.unit};
  }
  all.scalars["reynolds_number"] = {.values = torch::arange(first, first + count, torch::kFloat64), .unit = "1"};
  return all;
}

/// Every rank writes its part, two samples at a time.
void write_small(const Communicator& ranks, const std::filesystem::path& file)
{
  const auto header = small_header();
  io::DatasetWriter writer(ranks, file, header);
  agree(ranks, [&] {
    for (std::int64_t first = 2 * ranks.rank(); first < header.samples; first += 2 * ranks.size()) {
      const auto count = std::min<std::int64_t>(2, header.samples - first);
      for (std::int64_t step = 0; step < 2; ++step)
        writer.write(first, small_samples(header, first, count, step), step);
    }
  });
  writer.close();
}

std::string content_of(const std::filesystem::path& file)
{
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// One folder for all ranks.
std::filesystem::path shared_path(const Communicator& ranks, const tests::TemporaryFolder& folder)
{
  return ranks.broadcast(folder.path().string());
}

}  // namespace

TEST_CASE("dataset: what is read is what was written, bit for bit", "[io][property]")
{
  const tests::TemporaryFolder folder;
  write_small({}, folder / "a.h5");
  const auto dataset = io::open_dataset(folder / "a.h5");
  const auto header = small_header();
  REQUIRE(dataset->layout() == "The Well");
  REQUIRE(dataset->size() == 7);
  REQUIRE(dataset->steps() == 2);
  for (std::int64_t step = 0; step < 2; ++step) {
    const auto read = dataset->read({"permeability", "velocity", "stress"}, 1, 5, step);
    const auto written = small_samples(header, 1, 5, step);
    const auto at_start = small_samples(header, 1, 5, 0);
    for (const auto& field : header.fields) {
      CAPTURE(field.name, step);
      CHECK(torch::equal(read.field(field.name).values,
                         (field.time_varying ? written : at_start).field(field.name).values));
      CHECK(read.field(field.name).unit == field.unit);
    }
    CHECK(torch::equal(read.scalars.at("reynolds_number").values, written.scalars.at("reynolds_number").values));
    CHECK(read.grid() == header.grid);
    CHECK(read.time == header.times[static_cast<std::size_t>(step)]);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "a.h5.partial"));
}

TEST_CASE("dataset: grids of any spacing come back as they were", "[io][property]")
{
  const tests::TemporaryFolder folder;
  const auto cells = GENERATE(1, 2, 3, 49, 100);
  io::DatasetHeader header;
  header.grid = Grid::cell_centres({cells}, {0.3});
  header.fields = {{.name = "u", .unit = "1", .components = 1, .time_varying = false}};
  io::DatasetWriter({}, folder / "a.h5", header).close();
  const auto dataset = io::open_dataset(folder / "a.h5");
  CHECK(dataset->size() == 0);
  const auto sample = dataset->read({"u"}, 0, 0);
  CHECK(sample.grid().axes[0].origin == header.grid.axes[0].origin);
  if (cells > 1) CHECK(sample.grid() == header.grid);
}

/// Every match of `pattern` in a text.
static std::vector<std::smatch> all_of(const std::string& text, const std::regex& pattern)
{
  return {std::sregex_iterator(text.begin(), text.end(), pattern), {}};
}

TEST_CASE("xdmf: what it points to in the file are the values of each sample and step", "[io][property]")
{
  const tests::TemporaryFolder folder;
  const auto header = small_header();
  io::DatasetWriter writer({}, folder / "a & b.h5", header);
  for (std::int64_t step = 0; step < 2; ++step) writer.write(0, small_samples(header, 0, 7, step), step);
  writer.write_xdmf();
  writer.close();

  const std::string xdmf = content_of(folder / "a & b.xdmf"), bytes = content_of(folder / "a & b.h5");
  const auto pictures = all_of(xdmf, std::regex("<Grid Name=\"sample (\\d) step (\\d)\"[\\s\\S]*?</Grid>"));
  REQUIRE(pictures.size() == 14);
  for (const auto& picture : pictures) {
    const auto sample = std::stoll(picture[1]), step = std::stoll(picture[2]);
    const std::string text = picture[0];
    CAPTURE(text);
    CHECK(says(text, {"<Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"1 3 4\"/>"}));
    CHECK(text.find(fmt::format("<Time Value=\"{}\"/>", 0.5 * double(sample) + 0.25 * double(step))) !=
          std::string::npos);
    const auto arrays =
        all_of(text, std::regex("<Attribute Name=\"(\\w+)( \\[[^\\]]*\\])?\" AttributeType=\"(\\w+)\"[^>]*><DataItem "
                                "Dimensions=\"([^\"]*)\" NumberType=\"Float\" Precision=\"8\" Format=\"Binary\" "
                                "Endian=\"Little\" Seek=\"(\\d+)\">a &amp; b.h5<"));
    REQUIRE(arrays.size() == 4);
    const std::map<std::string, std::array<std::string, 3>> expected = {{"permeability", {" [m2]", "Scalar", "1 3 4"}},
                                                                        {"velocity", {" [m s-1]", "Vector", "1 3 4 2"}},
                                                                        {"stress", {" [Pa]", "Matrix", "1 3 4 4"}},
                                                                        {"reynolds_number", {"", "Scalar", "1"}}};
    for (const auto& array : arrays) {
      const std::string name = array[1];
      CAPTURE(name);
      CHECK(std::array<std::string, 3>{array[2], array[3], array[4]} == expected.at(name));
      const auto written = small_samples(header, sample, 1, name == "velocity" ? step : 0);
      const Tensor values = name == "reynolds_number" ? written.scalars.at(name).values
                                                      : written.field(name).values.movedim(1, -1).contiguous();
      CHECK(bytes.compare(std::stoul(array[5]), values.nbytes(), static_cast<const char*>(values.data_ptr()),
                          values.nbytes()) == 0);
    }
  }
}

TEST_CASE("xdmf: a thousand pictures at most, beyond 4 GiB as parts of the array", "[io]")
{
  const io::StoredRows u{.name = "u",
                         .unit = "1",
                         .path = "t0_fields/u",
                         .offset = 4096,
                         .value_bytes = 4,
                         .time_varying = true,
                         .components = 1,
                         .shape = {1000, 30, 512, 512}};
  const auto grid = Grid::cell_centres({512, 512}, {1, 1});
  const std::vector<double> times(30);
  const auto text = io::xdmf_of("a.h5", grid, times, 1000, {u});
  CHECK(all_of(text, std::regex("<Time")).size() == 33 * 30);
  CHECK(all_of(io::xdmf_of("a.h5", grid, std::vector<double>(2000), 5, {}), std::regex("<Time")).size() == 2000);
  // 2^20 bytes each: the 4096th begins where 32 bits end
  auto later = u;
  later.offset = (std::int64_t{1} << 32) - 32 * (1 << 20);
  CHECK(says(
      io::xdmf_of("a.h5", grid, times, 1000, {later}),
      {"Seek=\"4293918720\">a.h5<", "Format=\"HDF\">a.h5:/t0_fields/u|1 2 0 0:1 1 1 1:1 1 512 512:1000 30 512 512<"}));
}

TEST_CASE("dataset: float32 is asked for, float32 is stored", "[io]")
{
  const tests::TemporaryFolder folder;
  auto header = small_header();
  header.type = torch::kFloat32;
  header.samples = 1;
  header.times = {0};
  io::DatasetWriter writer({}, folder / "a.h5", header);
  const auto samples = small_samples(header, 0, 1, 0);
  writer.write(0, samples);
  writer.close();
  const auto read = io::open_dataset(folder / "a.h5")->read({"stress"}, 0, 1);
  CHECK(torch::equal(read.field("stress").values, samples.field("stress").values.to(torch::kFloat32)));
}

TEST_CASE("dataset: the same bytes from any number of ranks", "[io][restart][ranks2][ranks3]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const tests::TemporaryFolder folder;
  const auto shared = shared_path(ranks, folder);
  write_small(ranks, shared / "many.h5");
  if (ranks.is_root()) write_small({}, shared / "one.h5");
  ranks.barrier();
  const auto many = content_of(shared / "many.h5");
  CHECK(many.size() > 7 * 12 * (1 + 2 * 2 + 4) * sizeof(double));
  CHECK(many == content_of(shared / "one.h5"));
  ranks.barrier();
}

TEST_CASE("dataset: when one rank cannot write its samples, all throw and no file is left",
          "[io][error][ranks2][ranks3]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const tests::TemporaryFolder folder;
  const auto shared = shared_path(ranks, folder);
  const auto message = message_of([&] {
    const auto header = small_header();
    io::DatasetWriter writer(ranks, shared / "a.h5", header);
    agree(ranks, [&] { writer.write(ranks.rank() == 1 ? 6 : 2 * ranks.rank(), small_samples(header, 0, 2, 0)); });
    writer.close();
  });
  CHECK(says(message, {"samples 6 to 7", "some of its 7 samples"}));
  ranks.barrier();
  CHECK(std::filesystem::is_empty(shared));
  ranks.barrier();
}

TEST_CASE("dataset: when the disk fails under one rank, all throw with the reason and no file is left",
          "[io][error][faults][ranks2][ranks3]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const tests::TemporaryFolder folder;
  const auto shared = shared_path(ranks, folder);
  std::int64_t calls = 0;  // of the rank that makes the fewest
  {
    const tests::Injected counting(
        {.kind = tests::Fault::Kind::fail, .byte = std::numeric_limits<std::int64_t>::max()});
    write_small(ranks, shared / "a.h5");
    calls = ranks.minimum(static_cast<int>(tests::activity().calls));
  }
  ranks.barrier();
  if (ranks.is_root()) std::filesystem::remove(shared / "a.h5");
  ranks.barrier();

  const auto check = [&](int broken_rank, const tests::Fault& fault, const char* reason) {
    CAPTURE(broken_rank, fault.byte, fault.call, fault.only);
    {
      const tests::Injected broken(ranks.rank() == broken_rank ? fault : tests::Fault{});
      CHECK(says(message_of([&] { write_small(ranks, shared / "a.h5"); }), {"a.h5", reason}));
    }
    ranks.barrier();
    CHECK(std::filesystem::is_empty(shared));
    ranks.barrier();
  };
  using Kind = tests::Fault::Kind;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    check(rank, {.kind = Kind::fail, .byte = 0}, "No space left on device");
    check(rank, {.kind = Kind::fail, .byte = 500}, "No space left on device");
    check(rank, {.kind = Kind::fail, .call = 0, .error = EIO, .only = "fsync"}, "Input/output error");
    check(rank, {.kind = Kind::fail, .call = 0, .error = ENOENT, .only = "open"}, "No such file or directory");
    for (std::int64_t call = 0; call < calls; ++call)
      check(rank, {.kind = Kind::fail, .call = call, .error = EIO}, "Input/output error");
  }
  check(0, {.kind = Kind::fail, .call = 0, .error = EIO, .only = "rename"}, "Input/output error");
  write_small(ranks, shared / "a.h5");  // all is well again
  ranks.barrier();
}

TEST_CASE("dataset: a folder that is not there fails on all ranks", "[io][error][ranks2]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const auto message = message_of([&] { io::DatasetWriter(ranks, "/nonexistent/a.h5", small_header()); });
  CHECK(says(message, {"/nonexistent/a.h5", "No such file or directory", "mkdir -p"}));
}

TEST_CASE("dataset: samples that do not fit the header are named", "[io][error]")
{
  const tests::TemporaryFolder folder;
  const auto header = small_header();
  io::DatasetWriter writer({}, folder / "a.h5", header);
  auto samples = small_samples(header, 0, 2, 0);
  const auto message = [&] { return message_of([&] { writer.write(0, samples); }); };

  SECTION("missing field")
  {
    samples.fields.erase("stress");
    CHECK(says(message(), {"no field \"stress\"", "permeability, velocity"}));
  }
  SECTION("other components")
  {
    samples.fields["velocity"].values = samples.fields["velocity"].values.narrow(1, 0, 1);
    CHECK(says(message(), {"a.h5, field velocity", "values [2, 1, 3, 4]", "[2, 2, 3, 4]"}));
  }
  SECTION("other unit")
  {
    samples.fields["stress"].unit = "hPa";
    CHECK(says(message(), {"field stress", "unit \"hPa\"", "\"Pa\""}));
  }
  SECTION("missing scalar")
  {
    samples.scalars.clear();
    CHECK(says(message(), {"scalar reynolds_number", "found none"}));
  }
  SECTION("scalar of other members")
  {
    samples.scalars["reynolds_number"].values = torch::ones({3}, torch::kFloat64);
    CHECK(says(message(), {"scalar reynolds_number", "values [3]", "[2]"}));
  }
  SECTION("not all samples written")
  {
    writer.write(0, samples);
    CHECK(says(message_of([&] { writer.close(); }), {"finishing the dataset", "2 samples written", "each of 14 once"}));
  }
}

TEST_CASE("dataset: a writer that gives up leaves the older file and nothing else", "[io][error]")
{
  const tests::TemporaryFolder folder;
  write_small({}, folder / "a.h5");
  const auto before = content_of(folder / "a.h5");
  {
    io::DatasetWriter writer({}, folder / "a.h5", small_header());
    writer.write(0, small_samples(small_header(), 0, 2, 0));
  }
  CHECK(content_of(folder / "a.h5") == before);
  CHECK_FALSE(std::filesystem::exists(folder / "a.h5.partial"));
}

TEST_CASE("dataset: headers The Well's layout cannot hold are refused", "[io][error]")
{
  const tests::TemporaryFolder folder;
  auto header = small_header();
  header.fields[1].components = 3;
  CHECK(says(message_of([&] { io::DatasetWriter({}, folder / "a.h5", header); }),
             {"field velocity", "3 components", "1, 2 or 4", "one field for each component"}));
  header = small_header();
  header.samples = std::int64_t{1} << 50;  // 10^17 bytes
  CHECK(says(message_of([&] { io::DatasetWriter({}, folder / "a.h5", header); }), {"reserving ", "a.h5"}));
  CHECK(std::filesystem::is_empty(folder.path()));
}
