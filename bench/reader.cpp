// # How fast HDF5 becomes batches, as a fraction of reading the same bytes with pread
//     bench_reader /scratch                              # 4 GiB a file, 1 GiB of memory
//     bench_reader /scratch --peer "python3 bench/reader_peer.py"
//
// Makes three files in the folder (kept for the next run): two fields [sample, 128, 128] of float32, contiguous and in
// chunks of a sample; and 10 000 groups in PDEBench's layout. Then, of each of the first two, three times in turn:
//   1. all bytes by sequential pread in pieces of 8 MiB;
//   2. one shuffled pass of StreamedBatches, 32 samples a batch;
//   3. with --peer, the same by h5py and torch's DataLoader.
// Before each, the file is dropped from the page cache (posix_fadvise), so that all come from the disk; --warm leaves
// it there. The process may not have more than 1 GiB of data (RLIMIT_DATA): the file does not fit. Medians are
// compared. Of the third: how long open_dataset() takes with a cold cache.
#include <fcntl.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <locum/io/batches/streamed_batches.hpp>
#include <locum/io/hdf5/hdf5.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

using namespace locum;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t side = 128, batch = 32;
const io::hdf5::Task writing{.doing = "writing", .where = "bench", .access = io::hdf5::Task::Access::write};

void make_fields(const fs::path& path, std::int64_t samples, bool chunked)
{
  if (fs::exists(path)) return;
  const io::hdf5::FileHandle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const hsize_t extents[] = {hsize_t(samples), side, side}, chunk[] = {1, side, side};
  const io::hdf5::PropertyHandle creation(H5Pcreate(H5P_DATASET_CREATE));
  if (chunked) H5Pset_chunk(creation.get(), 3, chunk);
  for (const char* name : {"a", "u"}) {
    const io::hdf5::SpaceHandle space(H5Screate_simple(3, extents, nullptr));
    const io::hdf5::ObjectHandle dataset(io::hdf5::check(
        H5Dcreate2(file.get(), name, H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), writing));
    for (std::int64_t first = 0; first < samples; first += 256) {
      const std::int64_t count = std::min<std::int64_t>(256, samples - first);
      const Tensor values = torch::rand({count, side, side});
      const hsize_t start[] = {hsize_t(first), 0, 0}, extent[] = {hsize_t(count), side, side};
      const io::hdf5::SpaceHandle memory(H5Screate_simple(3, extent, nullptr));
      H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, extent, nullptr);
      io::hdf5::check(
          H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, memory.get(), space.get(), H5P_DEFAULT, values.data_ptr()),
          writing);
    }
  }
}

void make_groups(const fs::path& path, std::int64_t samples)
{
  if (fs::exists(path)) return;
  const io::hdf5::FileHandle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const Tensor data = torch::rand({11, 64, 1}), x = torch::arange(64, torch::kFloat32), t = torch::arange(11.0);
  for (std::int64_t i = 0; i < samples; ++i) {
    const auto group = fmt::format("{:04}", i);
    io::hdf5::write(file.get(), group + "/data", data, writing);
    io::hdf5::write(file.get(), group + "/grid/x", x, writing);
    io::hdf5::write(file.get(), group + "/grid/t", t, writing);
  }
}

/// Leaves nothing of the file in the page cache.
void drop_from_cache(const fs::path& path)
{
  const int file = ::open(path.c_str(), O_RDONLY);
  ::fsync(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

double seconds_of(const std::function<void()>& work)
{
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void read_raw(const fs::path& path)
{
  std::vector<char> buffer(8 << 20);
  const int file = ::open(path.c_str(), O_RDONLY);
  off_t at = 0;
  for (ssize_t count; (count = ::pread(file, buffer.data(), buffer.size(), at)) > 0;) at += count;
  ::close(file);
}

void read_batches(const fs::path& path)
{
  const auto dataset = io::open_dataset(path);
  const io::Windows windows(*dataset, {"a"}, {"u"});
  io::StreamedBatches batches(windows, windows.all(), std::int64_t{512} << 20, false, "reading");
  batches.start(batch, io::Shuffle{.seed = 1, .epoch = 0});
  std::int64_t samples = 0;
  while (const auto some = batches.next()) samples += some->inputs.size(0);
  if (samples != dataset->size()) throw std::runtime_error("samples are missing");
}

/// Seconds the peer says it took: its last word.
double seconds_of_peer(const std::string& command, const fs::path& path)
{
  std::string output;
  FILE* pipe = ::popen(fmt::format("ulimit -d unlimited; {} {} {}", command, path.string(), batch).c_str(), "r");
  char buffer[256];
  while (pipe && std::fgets(buffer, sizeof buffer, pipe)) output += buffer;
  if (!pipe || ::pclose(pipe) != 0) throw std::runtime_error("the peer failed");
  return std::stod(output);
}

double median(std::vector<double> values)
{
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv)
{
  std::string folder = ".", peer;
  double gib = 4;
  int repeats = 3;
  bool warm = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--peer") peer = argv[++i];
    else if (word == "--gib") gib = std::stod(argv[++i]);
    else if (word == "--repeats") repeats = std::stoi(argv[++i]);
    else if (word == "--warm") warm = true;
    else folder = word;
  }
  const auto samples = static_cast<std::int64_t>(gib * (1 << 30) / (2 * side * side * 4));
  const fs::path contiguous = fs::path(folder) / "contiguous.h5", chunked = fs::path(folder) / "chunked.h5",
                 groups = fs::path(folder) / "groups.h5";
  if (const pid_t maker = ::fork(); maker == 0) {  // its memory is not ours
    make_fields(contiguous, samples, false);
    make_fields(chunked, samples, true);
    make_groups(groups, 10000);
    std::_Exit(0);
  } else {
    ::waitpid(maker, nullptr, 0);
  }
  const rlimit limit{.rlim_cur = std::size_t{1} << 30, .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_DATA, &limit);

  for (const auto& path : {contiguous, chunked}) {
    std::vector<double> raw, ours, theirs;
    const auto measure = [&](std::vector<double>& seconds, const std::function<double()>& once) {
      if (!warm) drop_from_cache(path);
      seconds.push_back(once());
    };
    for (int i = 0; i < repeats; ++i) {
      measure(raw, [&] { return seconds_of([&] { read_raw(path); }); });
      measure(ours, [&] { return seconds_of([&] { read_batches(path); }); });
      if (!peer.empty()) measure(theirs, [&] { return seconds_of_peer(peer, path); });
    }
    const double size = static_cast<double>(fs::file_size(path)) / (1 << 30);
    fmt::print("{}: {:.2f} GiB, pread {:.2f} GiB/s, batches {:.2f} GiB/s: {:.0f} % of pread", path.filename().string(),
               size, size / median(raw), size / median(ours), 100 * median(raw) / median(ours));
    if (!peer.empty())
      fmt::print("; peer {:.2f} GiB/s: {:.1f} times as fast", size / median(theirs), median(theirs) / median(ours));
    fmt::print("\n");
    std::fflush(stdout);
  }
  drop_from_cache(groups);
  std::int64_t found = 0;
  const double opening = seconds_of([&] { found = io::open_dataset(groups)->size(); });
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("groups.h5: {} samples opened in {:.2f} s\nmost memory {:.2f} GiB\n", found, opening,
             static_cast<double>(usage.ru_maxrss) / (1 << 20));
}
