#include <locum/io/hdf5/rehearsal.hpp>

#include <atomic>
#include <csignal>

#include "support/catch.hpp"
#include "support/errors.hpp"

// HDF5 tried out in a child process: what ends the child is an error here, and nothing else.

using namespace locum;
using namespace locum::io::hdf5;
using tests::message_of;
using tests::says;

static const Task task{.doing = "opening the dataset", .where = "a.h5"};

TEST_CASE("rehearsal: what ends the child is named", "[io][error][hostile]")
{
  const auto message = [](const std::function<void()>& work) { return message_of([&] { rehearse(task, 0, work); }); };
  CHECK(says(message([] { std::raise(SIGSEGV); }),
             {"opening the dataset: a.h5", "a fault of HDF5 ", " itself, which crashes on it, SIGSEGV",
              "`h5ls -r a.h5`", "`h5repack a.h5 COPY`", "a new copy from its source"}));
  CHECK(says(message([] { std::abort(); }), {"crashes on it, SIGABRT"}));
  CHECK(says(message([] {
               for (std::atomic<int> i = 0;;) ++i;
             }),
             {"does not come to an end with it, after 5 s of computing"}));
#ifndef __SANITIZE_ADDRESS__  // which ends the process where `new` would throw
  CHECK(says(message([] { std::vector<char>(std::size_t{16} << 30); }), {"asks for more than 4096 MiB for it"}));
#endif
}

TEST_CASE("rehearsal: what it throws, and what it changes, stays in the child", "[io]")
{
  int changed = 0;
  rehearse(task, 0, [&] {
    changed = 1;
    throw DataError({.doing = "trying", .where = "", .found = "", .expected = "", .advice = ""});
  });
  CHECK(changed == 0);
}

TEST_CASE("rehearsal: libtorch's loops do not wait for threads that the child does not have", "[io]")
{
  const int threads = at::get_num_threads();
  at::set_num_threads(4);
  const auto work = [] { torch::ones({1 << 22}).exp().sum().item<float>(); };
  work();  // now there are threads
  rehearse(task, 0, work);
  at::set_num_threads(threads);
}

TEST_CASE("rehearsal: handlers of this process's faults are not the child's", "[io]")
{
  const auto before = std::signal(SIGSEGV, [](int) { _exit(0); });
  CHECK(says(message_of([] { rehearse(task, 0, [] { std::raise(SIGSEGV); }); }), {"crashes on it, SIGSEGV"}));
  std::signal(SIGSEGV, before);
}
