#include <locum/io/atomic_file.hpp>
#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/io/datasets/dataset_writer.hpp>

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <limits>
#include <locum/core/random.hpp>
#include <locum/io/hdf5/hdf5.hpp>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/errors.hpp"
#include "support/faults.hpp"
#include "support/temporary_folder.hpp"

// Writers that are killed, and disks that fail, at every point there is.

using namespace locum;
using tests::Fault;
using tests::in_a_child;
using tests::Injected;
using tests::message_of;
using tests::says;

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

std::string content_of(const std::filesystem::path& file)
{
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Weights and texts as a training's checkpoint has them.
io::Checkpoint checkpoint_of_epoch(std::int64_t epoch, std::int64_t weights = 40)
{
  io::Checkpoint checkpoint;
  RandomStream random(7, "weights", static_cast<std::uint64_t>(epoch));
  checkpoint.put("model/options", "name = \"fourier\"\n");
  checkpoint.put("model/weights/lift", random.normal({weights, 4}).to(torch::kFloat32));
  checkpoint.put("training/epoch", epoch);
  return checkpoint;
}

/// What `write` writes and how often it calls the system, were there no fault.
template <class Write>
tests::Activity activity_of(Write&& write)
{
  const Injected counting({.kind = Fault::Kind::fail, .byte = never});
  write();
  return tests::activity();
}

/// An old checkpoint, a new one, and which of them is in the file now.
class Succession {
 public:
  Succession()
  {
    new_checkpoint_.write(file);
    new_ = content_of(file);
    restore();
  }
  void restore()
  {
    checkpoint_of_epoch(1).write(file);
    old_ = content_of(file);
  }
  void write_new() const { new_checkpoint_.write(file); }

  bool old_is_there() const { return content_of(file) == old_; }
  bool new_is_there() const { return content_of(file) == new_; }
  /// Whether the file is one of the two, and reads as a checkpoint.
  bool one_is_there() const
  {
    const auto epoch = io::Checkpoint::read(file).integer("training/epoch");
    return (epoch == 1 && old_is_there()) || (epoch == 2 && new_is_there());
  }
  std::ptrdiff_t files() const { return std::distance(std::filesystem::directory_iterator(folder.path()), {}); }

  tests::TemporaryFolder folder;
  std::filesystem::path file = folder / "checkpoint.h5";

 private:
  io::Checkpoint new_checkpoint_ = checkpoint_of_epoch(2);
  std::string old_, new_;
};

/// Kills a writer at each of the bytes 0, step, 2 · step, … and at each call.
void kill_checkpoint_writer(std::int64_t step)
{
  Succession succession;
  const auto all = activity_of([&] { succession.write_new(); });
  succession.restore();
  REQUIRE(all.bytes > 1000);
  std::int64_t lost = 0, killed = 0;
  const auto attempt = [&](const Fault& fault) {
    const auto ending = in_a_child([&] {
      tests::inject(fault);
      succession.write_new();
    });
    killed += ending.signal == SIGKILL;
    lost += !succession.one_is_there();
  };
  for (std::int64_t byte = 0; byte <= all.bytes; byte += step) attempt({.kind = Fault::Kind::kill, .byte = byte});
  const auto at_bytes = killed;
  CHECK(at_bytes == all.bytes / step + 1);
  for (std::int64_t call = 0; call < all.calls; ++call) attempt({.kind = Fault::Kind::kill, .call = call});
  CHECK(killed == at_bytes + all.calls);
  CHECK(lost == 0);

  succession.write_new();  // what killed writers left does not hinder the next
  CHECK(succession.new_is_there());
  CHECK(succession.files() == 1);
  std::printf("checkpoint writer killed %lld times (%lld bytes, %lld calls): %lld lost\n",
              static_cast<long long>(killed), static_cast<long long>(all.bytes), static_cast<long long>(all.calls),
              static_cast<long long>(lost));
}

}  // namespace

TEST_CASE("checkpoint: killed while it is written, the old one or the new one is there", "[io][restart][faults]")
{
  kill_checkpoint_writer(97);
}

TEST_CASE("checkpoint: killed at every byte, none is lost", "[.full][io][restart][faults]")
{
  kill_checkpoint_writer(1);
}

static void fill_disk_under_checkpoint_writer(std::int64_t step)
{
  Succession succession;
  const auto all = activity_of([&] { succession.write_new(); });
  succession.restore();
  std::int64_t lost = 0, unexplained = 0;
  for (std::int64_t byte = 0; byte < all.bytes; byte += step) {
    const Injected full({.kind = Fault::Kind::fail, .byte = byte});
    const auto message = message_of([&] { succession.write_new(); });
    lost += !succession.old_is_there() || succession.files() != 1;
    unexplained += !says(message, {"checkpoint.h5", "No space left on device", "try   `df -h "});
  }
  CHECK(lost == 0);
  CHECK(unexplained == 0);
  std::printf("disk full under the checkpoint writer at %lld bytes: %lld lost\n",
              static_cast<long long>((all.bytes + step - 1) / step), static_cast<long long>(lost));
}

TEST_CASE("checkpoint: on a disk that is full after any byte, the old one stays", "[io][error][faults]")
{
  fill_disk_under_checkpoint_writer(29);
}

TEST_CASE("checkpoint: on a disk that is full after every byte, none is lost", "[.full][io][error][faults]")
{
  fill_disk_under_checkpoint_writer(1);
}

TEST_CASE("checkpoint: whichever call fails, it says so and a whole checkpoint is there", "[io][error][faults]")
{
  Succession succession;
  const auto all = activity_of([&] { succession.write_new(); });
  succession.restore();
  REQUIRE(all.calls >= 4);  // write, fsync, rename, fsync of the folder
  for (std::int64_t call = 0; call < all.calls; ++call) {
    CAPTURE(call);
    const Injected broken({.kind = Fault::Kind::fail, .call = call, .error = EIO});
    CHECK(says(message_of([&] { succession.write_new(); }), {"checkpoint.h5", "Input/output error"}));
    CHECK(succession.one_is_there());
    CHECK(succession.files() == 1);
  }
  for (const char* name : {"fsync", "rename"}) {
    CAPTURE(name);
    succession.restore();
    const Injected broken({.kind = Fault::Kind::fail, .call = 0, .error = EIO, .only = name});
    CHECK(says(message_of([&] { succession.write_new(); }), {"Input/output error"}));
    CHECK(succession.old_is_there());
  }
}

TEST_CASE("checkpoint: 10000 truncations and 10000 changed bits are all refused", "[io][error][faults]")
{
  const tests::TemporaryFolder folder;
  checkpoint_of_epoch(1, /*weights=*/4000).write(folder / "a.h5");
  const std::string whole = content_of(folder / "a.h5");
  const auto as_bytes = [](const std::string& content) { return std::as_bytes(std::span(content)); };
  REQUIRE(io::Checkpoint::parse(as_bytes(whole), "a.h5").integer("training/epoch") == 1);
  REQUIRE(whole.size() > 60'000);

  std::int64_t accepted = 0, unexplained = 0;
  const auto attempt = [&](std::span<const std::byte> bytes) {
    try {
      io::Checkpoint::parse(bytes, "a.h5");
      ++accepted;
    } catch (const DataError& error) {
      const auto& report = error.report();
      unexplained += report.where != "a.h5" || report.found.empty() || report.expected.empty() || report.advice.empty();
    }
  };
  RandomStream random(7, "damage");
  const auto anywhere = [&](std::size_t end) {
    return static_cast<std::size_t>(random.uniform({1}).item<double>() * static_cast<double>(end));
  };
  for (int trial = 0; trial < 10'000; ++trial) attempt(as_bytes(whole).first(anywhere(whole.size())));
  std::string changed = whole;
  for (int trial = 0; trial < 10'000; ++trial) {
    const auto bit = anywhere(8 * whole.size());
    changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
    attempt(as_bytes(changed));
    changed[bit / 8] = whole[bit / 8];
  }
  CHECK(accepted == 0);
  CHECK(unexplained == 0);
  CHECK(io::Checkpoint::parse(as_bytes(changed), "a.h5").integer("training/epoch") == 1);
}

namespace {

/// A file system of its own, in memory, of so many bytes; only root may make one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& folder, const char* options) : folder_(folder)
  {
    std::filesystem::create_directory(folder);
    mounted_ = mount("tmpfs", folder.c_str(), "tmpfs", 0, options) == 0;
    if (!mounted_) WARN("skipped: mounting a small disk needs root and its capabilities");
  }
  ~SmallDisk()
  {
    if (mounted_) umount(folder_.c_str());
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  void make_read_only() const { mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr); }

 private:
  std::filesystem::path folder_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("checkpoint: on a small disk that fills up, and one that turns read-only, the old one stays",
          "[io][error][faults]")
{
  const tests::TemporaryFolder folder;
  const SmallDisk disk(folder / "disk", "size=48k");
  if (!disk.mounted()) return;
  const auto file = folder / "disk/checkpoint.h5";
  checkpoint_of_epoch(1).write(file);
  const auto old = content_of(file);

  CHECK(says(message_of([&] { checkpoint_of_epoch(2, /*weights=*/10'000).write(file); }),
             {"checkpoint.h5", "No space left on device", "`df -h "}));
  CHECK(content_of(file) == old);
  CHECK_FALSE(std::filesystem::exists(folder / "disk/checkpoint.h5.partial"));
  checkpoint_of_epoch(2).write(file);  // what fits still fits
  CHECK(io::Checkpoint::read(file).integer("training/epoch") == 2);

  disk.make_read_only();
  CHECK(says(message_of([&] { checkpoint_of_epoch(3).write(file); }), {"Read-only file system", "`ls -ld "}));
  CHECK(io::Checkpoint::read(file).integer("training/epoch") == 2);
}

TEST_CASE("checkpoint: a folder one may not write into, and one that is gone, are named", "[io][error][faults]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "run/checkpoint.h5";
  std::filesystem::create_directory(folder / "run");
  checkpoint_of_epoch(1).write(file);

  using std::filesystem::perms;
  const auto others = perms::others_read | perms::others_exec;
  std::filesystem::permissions(folder.path(), perms::owner_all | others);
  std::filesystem::permissions(folder / "run", perms::owner_read | perms::owner_exec | others);
  const auto ending = in_a_child([&] {  // root may write anywhere: as somebody else
    if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
    const auto text = message_of([&] { checkpoint_of_epoch(2).write(file); });
    if (!says(text, {"checkpoint.h5", "Permission denied", "try   `ls -ld "})) _exit(3);
  });
  CHECK(ending.code == 0);
  CHECK(io::Checkpoint::read(file).integer("training/epoch") == 1);

  std::filesystem::permissions(folder / "run", perms::owner_all);
  std::filesystem::remove_all(folder / "run");
  CHECK(says(message_of([&] { checkpoint_of_epoch(2).write(file); }),
             {"checkpoint.h5", "No such file or directory", "try   `mkdir -p "}));
}

namespace {

/// Forty samples of one field; `shift` tells one dataset from another.
void write_dataset(const std::filesystem::path& file, double shift)
{
  io::DatasetHeader header;
  header.name = "test";
  header.samples = 40;
  header.grid = Grid::cell_centres({4, 4}, {1, 1});
  header.fields = {{.name = "u", .unit = "m", .components = 1, .time_varying = false}};
  io::DatasetWriter writer({}, file, header);
  for (std::int64_t first = 0; first < 40; first += 10) {
    Sample rows{.domain = header.grid, .fields = {}, .scalars = {}, .time = 0};
    rows.fields["u"] = {.values = torch::arange(160, torch::kFloat64).reshape({10, 1, 4, 4}) + shift, .unit = "m"};
    writer.write(first, rows);
  }
  writer.close();
}

void kill_dataset_writer(std::int64_t step)
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "a.h5";
  write_dataset(file, 1);
  const auto fresh = content_of(file);
  const auto all = activity_of([&] { write_dataset(file, 0); });
  const auto old = content_of(file);
  std::int64_t killed = 0, lost = 0, unreadable = 0;
  const auto attempt = [&](const Fault& fault) {
    const auto ending = in_a_child([&] {
      tests::inject(fault);
      write_dataset(file, 1);
    });
    killed += ending.signal == SIGKILL;
    const auto now = content_of(file);
    lost += now != old && now != fresh;
    try {
      unreadable += io::open_dataset(file)->read({"u"}, 0, 40).field("u").values.size(0) != 40;
    } catch (const Error&) {
      ++unreadable;
    }
  };
  for (std::int64_t byte = 0; byte < all.bytes; byte += step) attempt({.kind = Fault::Kind::kill, .byte = byte});
  for (std::int64_t call = 0; call < all.calls; ++call) attempt({.kind = Fault::Kind::kill, .call = call});
  CHECK(killed == (all.bytes + step - 1) / step + all.calls);
  CHECK(lost == 0);
  CHECK(unreadable == 0);
  write_dataset(file, 1);
  CHECK(content_of(file) == fresh);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  std::printf("dataset writer killed %lld times (%lld bytes, %lld calls): %lld lost\n", static_cast<long long>(killed),
              static_cast<long long>(all.bytes), static_cast<long long>(all.calls), static_cast<long long>(lost));
}

}  // namespace

TEST_CASE("dataset: killed while it is written, a whole file has its name", "[io][restart][faults]")
{
  kill_dataset_writer(501);
}

TEST_CASE("dataset: killed at thousands of bytes, none is lost", "[.full][io][restart][faults]")
{
  kill_dataset_writer(5);
}

TEST_CASE("dataset: on a disk that fails at any byte or call, the old one stays and the process lives",
          "[io][error][faults]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "a.h5";
  const auto all = activity_of([&] { write_dataset(file, 0); });
  const auto old = content_of(file);
  // In a child: HDF5 may remember a file it could not close, and must not fall over it at the end.
  const auto attempt = [&](const Fault& fault) {
    return in_a_child([&] {
      bool refused = false;
      {
        const Injected broken(fault);
        try {
          write_dataset(file, 1);
        } catch (const SystemError& error) {
          refused = std::string(error.what()).find("a.h5") != std::string::npos;
        }
      }
      H5close();
      if (!refused) _exit(4);
    });
  };
  std::vector<std::string> wrong;
  const auto check = [&](const Fault& fault, const std::string& where) {
    const auto ending = attempt(fault);
    if (ending.code != 0) wrong.push_back(fmt::format("{}: code {}, signal {}", where, ending.code, ending.signal));
    if (content_of(file) != old) wrong.push_back(where + ": another file");
    if (std::filesystem::exists(folder / "a.h5.partial")) wrong.push_back(where + ": partial file left");
    if (!wrong.empty()) write_dataset(file, 0);
  };
  for (std::int64_t byte = 0; byte < all.bytes; byte += 211)
    check({.kind = Fault::Kind::fail, .byte = byte}, fmt::format("byte {}", byte));
  for (std::int64_t call = 0; call + 1 < all.calls; ++call)  // the last, fsync of the folder, comes after the rename
    check({.kind = Fault::Kind::fail, .call = call, .error = EIO}, fmt::format("call {}", call));
  CHECK(wrong.empty());
}

TEST_CASE("HDF5: file systems without locks, and locks somebody holds, are explained", "[io][error][faults]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "a.h5";
  write_dataset(file, 0);
  const auto message = [&](int error) {
    const Injected refused({.kind = Fault::Kind::fail, .call = 0, .error = error, .only = "flock"});
    return message_of([&] { io::open_dataset(file); });
  };
  for (const int error : {ENOLCK, 524, EOPNOTSUPP}) {
    CAPTURE(error);
    CHECK(says(message(error),
               {"a.h5", "a file system without locks (errno ", "NFS and Lustre", "HDF5_USE_FILE_LOCKING=FALSE"}));
  }
  CHECK(says(message(EAGAIN), {"a.h5", "a lock: another program has the file open", "HDF5_USE_FILE_LOCKING=FALSE"}));

  const io::hdf5::FileHandle writing(H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
  const auto ending = in_a_child([&] {
    H5close();  // forget that this process has it open, too
    if (!says(message_of([&] { io::open_dataset(file); }), {"a lock: another program has the file open"})) _exit(5);
  });
  CHECK(ending.code == 0);
}
