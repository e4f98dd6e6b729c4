#include <locum/io/dataset.hpp>
#include <locum/io/quarantine.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

TEST_CASE("quarantine: what crashes or hangs there is an error here", "[io][error][hostile]")
{
  const auto message = [](auto look) {
    return message_of([&] { io::in_quarantine("a.h5", look, std::chrono::seconds(1)); });
  };
  CHECK(says(message([] { std::raise(SIGSEGV); }), {"a.h5", "HDF5 crashes on (Segmentation fault)", "no further use"}));
  CHECK(says(message([] { std::abort(); }), {"HDF5 crashes on (Aborted)"}));
  CHECK(says(message([] { pause(); }), {"HDF5 is not done with after 1 s"}));
}

TEST_CASE("quarantine: what is refused there by name is left to be refused here", "[io][hostile]")
{
  const tests::TemporaryFolder folder;
  std::ofstream(folder / "a.h5") << "not HDF5";
  int calls = 0;
  CHECK_NOTHROW(io::in_quarantine(folder / "a.h5", [&] {
    ++calls;
    io::open_dataset(folder / "a.h5");
  }));
  CHECK(calls == 0);  // what it finds out is lost with the copy
}

TEST_CASE("quarantine: there is no room for everything", "[io][hostile]")
{
  CHECK_NOTHROW(io::in_quarantine("a.h5", [] {
    if (torch::empty({std::int64_t{1} << 40}, torch::kUInt8).numel() > 0) std::abort();
  }));
}
