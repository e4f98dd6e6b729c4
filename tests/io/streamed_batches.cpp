#include <locum/io/batches/streamed_batches.hpp>

#include <locum/core/random.hpp>

#include <set>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/hdf5_files.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::make_file;
using tests::message_of;
using tests::says;
using tests::writing;

namespace {

/// u [sample, step, x, component] counts through the file, k [sample, x] is 1000 times its sample.
void make_trajectories(const std::filesystem::path& path, std::int64_t samples, std::int64_t steps,
                       std::vector<hsize_t> chunk = {})
{
  const auto file = make_file(path);
  const Tensor u = torch::arange(samples * steps * 6 * 2, torch::kFloat32).reshape({samples, steps, 6, 2});
  if (chunk.empty()) {
    io::hdf5::write(file.get(), "u", u, writing);
  } else {
    const hsize_t extents[] = {hsize_t(samples), hsize_t(steps), 6, 2};
    const io::hdf5::SpaceHandle space(H5Screate_simple(4, extents, nullptr));
    const io::hdf5::PropertyHandle creation(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(creation.get(), 4, chunk.data());
    H5Pset_deflate(creation.get(), 1);
    const io::hdf5::ObjectHandle dataset(
        H5Dcreate2(file.get(), "u", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT));
    H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, u.data_ptr());
  }
  io::hdf5::write(file.get(), "k", (torch::arange(samples, torch::kFloat32) * 1000).unsqueeze(1).repeat({1, 6}),
                  writing);
}

std::unique_ptr<io::Dataset> open_trajectories(const std::filesystem::path& file)
{
  io::DatasetOptions options;
  options.fields["u"] = {.path = "", .axes = {"sample", "time", "x", "component"}, .unit = "m"};
  options.fields["k"] = {.path = "", .axes = {"sample", "x"}, .unit = ""};
  return io::open_dataset(file, options);
}

/// All batches of a pass side by side.
io::Batch whole_pass(io::BatchSource& source, std::int64_t batch, std::optional<io::Shuffle> shuffle)
{
  std::vector<Tensor> inputs, outputs;
  source.start(batch, shuffle);
  while (const auto some = source.next()) {
    inputs.push_back(some->inputs);
    outputs.push_back(some->outputs);
  }
  return {.inputs = torch::cat(inputs), .outputs = torch::cat(outputs)};
}

/// What identifies a window of make_trajectories(): the first value of its inputs.
std::vector<double> marks(const io::Batch& batch)
{
  const Tensor first = batch.inputs.flatten(1).select(1, 0).to(torch::kFloat64).contiguous();
  return {first.data_ptr<double>(), first.data_ptr<double>() + first.numel()};
}

}  // namespace

TEST_CASE("windows: inputs and outputs are the steps their names say", "[io]")
{
  const tests::TemporaryFolder folder;
  make_trajectories(folder / "a.h5", 3, 10);
  const auto dataset = open_trajectories(folder / "a.h5");
  const auto inputs = io::Windows::names(*dataset, {"u", "k"}, -1, 0),
             outputs = io::Windows::names(*dataset, {"u"}, 1, 2);
  CHECK(inputs == std::vector<std::string>{"u@-1", "u", "k"});
  CHECK(outputs == std::vector<std::string>{"u@+1", "u@+2"});

  const io::Windows windows(*dataset, inputs, outputs, /*stride=*/2);
  CHECK(windows.length() == 7);
  CHECK(windows.all().trajectories == 3);
  CHECK(windows.all().windows == 4);
  CHECK(windows.input_channels().size() == 5);
  CHECK(windows.input_channels()[0] == Channel{.field = "u@-1", .component = 0, .unit = "m"});
  const auto rows = windows.read({windows.all()});
  const auto batch = windows.gather(rows, torch::arange(12));
  const auto u = [](std::int64_t sample, std::int64_t step, std::int64_t x, std::int64_t component) {
    return static_cast<double>(((sample * 10 + step) * 6 + x) * 2 + component);
  };
  for (const std::int64_t window : {0, 5, 11}) {
    const std::int64_t sample = window / 4, now = 2 + window % 4;
    CAPTURE(window);
    CHECK(batch.inputs[window][1][3].item<double>() == u(sample, now - 2, 3, 1));
    CHECK(batch.inputs[window][2][3].item<double>() == u(sample, now, 3, 0));
    CHECK(batch.inputs[window][4][3].item<double>() == 1000.0 * double(sample));
    CHECK(batch.outputs[window][0][5].item<double>() == u(sample, now + 2, 5, 0));
    CHECK(batch.outputs[window][3][5].item<double>() == u(sample, now + 4, 5, 1));
  }
  const auto sample = windows.sample(rows, windows.all());
  CHECK(torch::equal(sample.field("u@+2").values, batch.outputs.narrow(1, 2, 2)));
  CHECK(says(message_of([&] { io::Windows(*dataset, inputs, outputs, 4); }),
             {"windows of 13 steps", "at most 10", "data.stride"}));
}

TEST_CASE("streamed batches: in the order of the file they are the tensors in memory", "[io][property]")
{
  const tests::TemporaryFolder folder;
  const bool chunked = GENERATE(false, true);
  make_trajectories(folder / "a.h5", 23, 9, chunked ? std::vector<hsize_t>{4, 2, 6, 1} : std::vector<hsize_t>{});
  const auto dataset = open_trajectories(folder / "a.h5");
  const io::Windows windows(*dataset, {"u", "k"}, {"u@+1"});
  const auto range = windows.all();
  const auto all = windows.gather(windows.read({range}), torch::arange(range.size()));
  // From a pool of one window to one of everything: trajectories cut in pieces, alone, and together.
  for (const std::int64_t memory : {1, 2000, 20000, 1000000}) {
    io::StreamedBatches streamed(windows, range, memory, false, "reading");
    CAPTURE(memory, streamed.blocks().size());
    const auto pass = whole_pass(streamed, 10, std::nullopt);
    CHECK(torch::equal(pass.inputs, all.inputs));
    CHECK(torch::equal(pass.outputs, all.outputs));
  }
}

TEST_CASE("streamed batches: a shuffled pass has every window once, in an order of its epoch", "[io][property]")
{
  const tests::TemporaryFolder folder;
  make_trajectories(folder / "a.h5", 40, 9);
  const auto dataset = open_trajectories(folder / "a.h5");
  const io::Windows windows(*dataset, {"u"}, {"u@+1"});
  io::StreamedBatches streamed(windows, windows.all(), 10000, false, "reading");
  REQUIRE(streamed.blocks().size() > 10);
  const auto first = marks(whole_pass(streamed, 7, io::Shuffle{.seed = 3, .epoch = 0}));
  const auto second = marks(whole_pass(streamed, 7, io::Shuffle{.seed = 3, .epoch = 1}));
  const auto again = marks(whole_pass(streamed, 7, io::Shuffle{.seed = 3, .epoch = 0}));
  CHECK(first.size() == 40 * 8);
  CHECK(std::set<double>(first.begin(), first.end()).size() == 40 * 8);
  CHECK(first == again);
  CHECK(first != second);
  // Windows that are neighbours in the file are not neighbours in the pass.
  std::int64_t neighbours = 0;
  for (std::size_t i = 1; i < first.size(); ++i) neighbours += std::abs(first[i] - first[i - 1]) == 12;
  CHECK(neighbours < 40);

  // A pass that is given up leaves nothing behind.
  streamed.start(7, io::Shuffle{.seed = 3, .epoch = 5});
  CHECK(streamed.next().has_value());
  CHECK(marks(whole_pass(streamed, 7, io::Shuffle{.seed = 3, .epoch = 1})) == second);
}

TEST_CASE("streamed batches: a value that is not finite is named, unless it is missing", "[io][error]")
{
  const tests::TemporaryFolder folder;
  {
    const auto file = make_file(folder / "a.h5");
    Tensor u = torch::ones({50, 3, 8});
    u[31][2][5] = std::numeric_limits<float>::quiet_NaN();
    io::hdf5::write(file.get(), "u", u, writing);
  }
  io::DatasetOptions options;
  options.fields["u"] = {.path = "", .axes = {"sample", "time", "x"}, .unit = "K"};
  const auto dataset = io::open_dataset(folder / "a.h5", options);
  const io::Windows windows(*dataset, {"u"}, {"u@+1"});
  io::StreamedBatches strict(windows, windows.all(), 2000, false, "reading training samples");
  CHECK(says(message_of([&] { whole_pass(strict, 8, std::nullopt); }),
             {"reading training samples", "a.h5, step 2, field u", "nan at sample 31", "position [5]", "data.mask"}));
  io::StreamedBatches lenient(windows, windows.all(), 2000, true, "reading training samples");
  CHECK(whole_pass(lenient, 8, std::nullopt).outputs.isfinite().logical_not().sum().item<std::int64_t>() == 1);
}

TEST_CASE("streamed batches: the fingerprint changes with the data", "[io]")
{
  const tests::TemporaryFolder folder;
  make_trajectories(folder / "a.h5", 10, 4);
  const auto fingerprint = [&] {
    const auto dataset = open_trajectories(folder / "a.h5");
    const io::Windows windows(*dataset, {"u"}, {"u@+1"});
    return io::StreamedBatches(windows, windows.all(), 2000, false, "reading").fingerprint();
  };
  const auto before = fingerprint();
  CHECK(before == fingerprint());
  make_trajectories(folder / "a.h5", 11, 4);
  CHECK(before != fingerprint());
}

TEST_CASE("streamed batches: two ranks share the windows of a pass", "[io][ranks2]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const tests::TemporaryFolder folder;  // each rank its own copy
  make_trajectories(folder / "a.h5", 64, 5);
  const auto dataset = open_trajectories(folder / "a.h5");
  const io::Windows windows(*dataset, {"u"}, {"u@+1"});
  io::StreamedBatches streamed(windows, windows.all(), 8000, false, "reading", ranks);
  for (const std::uint64_t epoch : {0, 1}) {
    const auto mine = marks(whole_pass(streamed, 8, io::Shuffle{.seed = 1, .epoch = epoch}));
    CHECK(ranks.sum(std::int64_t(mine.size())) == 2 * std::int64_t(mine.size()));  // as many batches on both
    std::string text;
    for (const double mark : mine) text += fmt::format("{} ", mark);
    const auto all = ranks.gather(text);
    std::set<std::string> seen;
    std::int64_t count = 0;
    for (const auto& list : all) {
      std::istringstream stream(list);
      for (std::string mark; stream >> mark; ++count) seen.insert(mark);
    }
    CHECK(std::int64_t(seen.size()) == count);  // none twice
    CHECK(count > 64 * 4 - 2 * 16);
  }
}
