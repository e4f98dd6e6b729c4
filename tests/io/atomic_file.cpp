#include <locum/io/atomic_file.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string content_of(const std::filesystem::path& file)
{
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// While it lives, no file of this process grows beyond `bytes`: the system refuses in the middle, as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN))
  {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit()
  {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("atomic file: replaces what was there and leaves nothing beside it", "[io]")
{
  const tests::TemporaryFolder folder;
  io::write_atomically(folder / "a", bytes_of("old and longer"));
  io::write_atomically(folder / "a", bytes_of("new"));
  CHECK(content_of(folder / "a") == "new");
  io::write_atomically(folder / "a", {});
  CHECK(content_of(folder / "a").empty());
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("atomic file: when the disk refuses in the middle, the old file stays whole", "[io][error]")
{
  const tests::TemporaryFolder folder;
  io::write_atomically(folder / "a", bytes_of("old"));
  const std::string large(1 << 16, 'x');
  const auto message = [&] {
    const FileSizeLimit limit(1 << 12);
    return message_of([&] { io::write_atomically(folder / "a", bytes_of(large)); });
  }();
  CHECK(says(message, {"writing", (folder / "a").c_str(), "File too large"}));
  CHECK(content_of(folder / "a") == "old");
  CHECK_FALSE(std::filesystem::exists(folder / "a.partial"));
}

TEST_CASE("atomic file: refusals of the system are named with the remedy", "[io][error]")
{
  const tests::TemporaryFolder folder;
  SECTION("no folder")
  {
    const auto file = folder / "none/a";
    CHECK(says(message_of([&] { io::write_atomically(file, bytes_of("x")); }),
               {file.parent_path().c_str(), "No such file or directory", "try   `mkdir -p "}));
  }
  SECTION("a folder in its place")
  {
    std::filesystem::create_directory(folder / "a");
    CHECK(says(message_of([&] { io::write_atomically(folder / "a", bytes_of("x")); }), {"Is a directory"}));
    CHECK_FALSE(std::filesystem::exists(folder / "a.partial"));
  }
  SECTION("a folder of somebody else")
  {
    if (geteuid() == 0) return;  // root may write anywhere
    std::filesystem::permissions(folder.path(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    CHECK(says(message_of([&] { io::write_atomically(folder / "a", bytes_of("x")); }),
               {"Permission denied", "try   `ls -ld "}));
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  }
  SECTION("a full disk")
  {
    CHECK(says(io::system_error("writing", folder / "a", ENOSPC).what(), {"No space left on device", "try   `df -h "}));
  }
}

TEST_CASE("reserve: room that is not there shows at once", "[io][error]")
{
  const tests::TemporaryFolder folder;
  const FileSizeLimit limit(1 << 12);
  CHECK(says(message_of([&] { io::reserve(folder / "a", 1 << 16); }), {"reserving 65536 bytes", "File too large"}));
}
