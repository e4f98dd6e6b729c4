#include <locum/io/datasets/dataset.hpp>
#include <locum/physics/darcy.hpp>
#include <locum/solvers/generate.hpp>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/errors.hpp"
#include "support/faults.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using namespace locum::solvers;

namespace {

/// Stands in for a solver: u = 1/a, failing where it is told to, counting its solves.
class Inverse : public SteadySolver {
 public:
  std::string description() const override { return "1/a"; }
  Sample solve(const Sample& problem) override
  {
    ++solves;
    if (solves - 1 == fails_at)
      throw SolverError({.doing = "solving", .where = "", .found = "KSP_DIVERGED_ITS", .expected = "", .advice = ""});
    Sample solution{.domain = problem.domain, .fields = {}, .scalars = {}, .time = 0};
    solution.fields["pressure"] = {.values = 1 / problem.field("permeability").values, .unit = "1"};
    return solution;
  }
  std::int64_t solves = 0, fails_at = -1;
};

std::string bytes_of(const std::filesystem::path& file)
{
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

const std::map<std::string, std::string> provenance = {{"equation", "name = \"darcy\"\n"}};

}  // namespace

TEST_CASE("generate: the rows are the draws and their solutions", "[solvers]")
{
  const tests::TemporaryFolder folder;
  const physics::Darcy darcy;
  Inverse solver;
  const Draws draws{.samples = 20, .grid = darcy.grid({8, 12}), .seed = 5};
  CHECK(generate(Communicator(), darcy, solver, draws, folder / "d.h5", provenance, silent_log()) == 20);

  const auto dataset = io::open_dataset(folder / "d.h5");
  const Sample rows = dataset->read({"permeability", "pressure"}, 17, 3);
  const Sample expected = darcy.draw(draws.grid, 5, 17, 3);
  CHECK(torch::equal(rows.field("permeability").values, expected.field("permeability").values.to(torch::kFloat32)));
  CHECK(torch::equal(rows.field("pressure").values, (1 / expected.field("permeability").values).to(torch::kFloat32)));
  CHECK(rows.grid() == draws.grid);
  CHECK_FALSE(std::filesystem::exists(folder / "d.h5.parts"));
  CHECK(std::filesystem::exists(folder / "d.xdmf"));
}

TEST_CASE("generate: a failed draw is left out and named", "[solvers][error]")
{
  const tests::TemporaryFolder folder;
  const physics::Darcy darcy;
  Inverse solver;
  solver.fails_at = 3;
  const Draws draws{.samples = 6, .grid = darcy.grid({8, 8}), .seed = 5};
  CHECK(generate(Communicator(), darcy, solver, draws, folder / "d.h5", provenance, silent_log()) == 5);
  const auto dataset = io::open_dataset(folder / "d.h5");
  CHECK(dataset->provenance().at("failed_draws") == "3 KSP_DIVERGED_ITS\n");
  const auto numbers = dataset->read({"pressure"}, 0, 5).scalars.at("draw").values.to(torch::kFloat64);
  CHECK(torch::equal(numbers, torch::tensor({0.0, 1.0, 2.0, 4.0, 5.0}, torch::kFloat64)));
}

TEST_CASE("generate: goes on with the parts that are there, to the same bytes", "[solvers][restart]")
{
  const tests::TemporaryFolder folder;
  const physics::Darcy darcy;
  const Draws draws{.samples = 40, .grid = darcy.grid({8, 8}), .seed = 5};
  Inverse solver;
  generate(Communicator(), darcy, solver, draws, folder / "whole.h5", provenance, silent_log());

  class Killed : public Inverse {
   public:
    Sample solve(const Sample& problem) override
    {
      // not a SolverError: as if the process had died in the second part
      if (solves == 20) throw std::runtime_error("killed");
      return Inverse::solve(problem);
    }
  } killed;
  CHECK_THROWS(generate(Communicator(), darcy, killed, draws, folder / "resumed.h5", provenance, silent_log()));
  Inverse rest;
  generate(Communicator(), darcy, rest, draws, folder / "resumed.h5", provenance, silent_log());
  CHECK(rest.solves == 40 - 16);
  CHECK(bytes_of(folder / "resumed.h5") == bytes_of(folder / "whole.h5"));
}

TEST_CASE("generate: a file made with other options is refused, not overwritten", "[solvers][error]")
{
  const tests::TemporaryFolder folder;
  const physics::Darcy darcy;
  const Draws draws{.samples = 2, .grid = darcy.grid({8, 8}), .seed = 5};
  Inverse solver;
  generate(Communicator(), darcy, solver, draws, folder / "d.h5", provenance, silent_log());
  const auto before = bytes_of(folder / "d.h5");
  const auto message = tests::message_of([&] {
    generate(Communicator(), darcy, solver, draws, folder / "d.h5", {{"equation", "name = \"heat\"\n"}}, silent_log());
  });
  CHECK(tests::says(message, {"d.h5, equation", "darcy", "heat", "--output DIR"}));
  CHECK(bytes_of(folder / "d.h5") == before);
}

TEST_CASE("generate: any number of ranks gives the same file", "[solvers][ranks2]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  std::optional<tests::TemporaryFolder> mine;
  if (ranks.is_root()) mine.emplace();
  const std::filesystem::path folder = ranks.broadcast(mine ? mine->path().string() : "");
  const physics::Darcy darcy;
  const Draws draws{.samples = 50, .grid = darcy.grid({8, 8}), .seed = 5};
  Inverse solver;
  generate(ranks, darcy, solver, draws, folder / "two.h5", provenance, silent_log());
  CHECK(solver.solves < 50);
  if (ranks.is_root()) {
    Inverse alone;
    generate(Communicator(), darcy, alone, draws, folder / "one.h5", provenance, silent_log());
    CHECK(bytes_of(folder / "two.h5") == bytes_of(folder / "one.h5"));
  }
  ranks.barrier();
}

namespace {

using tests::Fault;

/// Generates 40 samples, three parts and the file they become.
std::int64_t generate_forty(const Communicator& ranks, const std::filesystem::path& file)
{
  const physics::Darcy darcy;
  Inverse solver;
  generate(ranks, darcy, solver, {.samples = 40, .grid = darcy.grid({8, 8}), .seed = 5}, file, provenance,
           silent_log());
  return solver.solves;
}

/// Kills a run at byte 0, step, 2 · step, … and at every `call_step`th call, each time goes on, and compares.
void kill_generate(std::int64_t byte_step, std::int64_t call_step)
{
  const tests::TemporaryFolder folder;
  tests::Activity all;
  {
    const tests::Injected counting({.kind = Fault::Kind::fail, .byte = std::numeric_limits<std::int64_t>::max()});
    generate_forty(Communicator(), folder / "whole.h5");
    all = tests::activity();
  }
  const auto whole = bytes_of(folder / "whole.h5");
  REQUIRE(all.bytes > 40 * 2 * 64 * 4 * 2);  // everything once in a part, once in the file

  std::int64_t killed = 0, unreadable = 0, different = 0, left = 0, kept = 0;
  const auto attempt = [&](const Fault& fault) {
    const auto here = folder / "run";
    std::filesystem::create_directory(here);
    killed += tests::in_a_child([&] {
                tests::inject(fault);
                generate_forty(Communicator(), here / "d.h5");
              }).signal == SIGKILL;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(here)) {
      if (entry.path().extension() != ".h5") continue;  // what has its final name is whole
      try {
        const auto dataset = io::open_dataset(entry.path());
        dataset->read({"permeability", "pressure"}, 0, dataset->size());
      } catch (const Error&) {
        ++unreadable;
      }
    }
    kept += 40 - generate_forty(Communicator(), here / "d.h5");
    different += bytes_of(here / "d.h5") != whole;
    different += bytes_of(here / "d.xdmf").empty();
    left += std::distance(std::filesystem::directory_iterator(here), {}) != 2;
    std::filesystem::remove_all(here);
  };
  for (std::int64_t byte = 0; byte < all.bytes; byte += byte_step) attempt({.kind = Fault::Kind::kill, .byte = byte});
  for (std::int64_t call = 0; call < all.calls; call += call_step) attempt({.kind = Fault::Kind::kill, .call = call});
  CHECK(killed == (all.bytes + byte_step - 1) / byte_step + (all.calls + call_step - 1) / call_step);
  CHECK(unreadable == 0);
  CHECK(different == 0);
  CHECK(left == 0);
  CHECK(kept > killed * 10);  // of 40 solves; parts of 16 are kept
  std::printf("generate killed %lld times (%lld bytes, %lld calls): %lld unreadable, %lld different, %.1f of 40 kept\n",
              static_cast<long long>(killed), static_cast<long long>(all.bytes), static_cast<long long>(all.calls),
              static_cast<long long>(unreadable), static_cast<long long>(different),
              static_cast<double>(kept) / static_cast<double>(killed));
}

}  // namespace

TEST_CASE("generate: killed at any moment it goes on to the same bytes, and what is there is whole",
          "[solvers][restart][faults]")
{
  kill_generate(6007, 17);
}

TEST_CASE("generate: killed at a thousand moments, every run goes on to the same bytes",
          "[.full][solvers][restart][faults]")
{
  kill_generate(97, 1);
}

TEST_CASE("generate: when ranks disagree on what is there, all say so", "[solvers][error][faults][ranks2]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  std::optional<tests::TemporaryFolder> mine;
  if (ranks.is_root()) mine.emplace();
  const std::filesystem::path folder = ranks.broadcast(mine ? mine->path().string() : "");
  const auto file = folder / "d.h5";
  const auto message = [&](const Fault& on_rank_1) {
    const tests::Injected broken(ranks.rank() == 1 ? on_rank_1 : Fault{});
    return tests::message_of([&] { generate_forty(ranks, file); });
  };
  using Kind = Fault::Kind;

  // its first part cannot be written
  CHECK(tests::says(message({.kind = Kind::fail, .byte = 0}), {"000001.h5", "No space left on device"}));
  ranks.barrier();
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK_FALSE(std::filesystem::exists(folder / "d.h5.parts/000001.h5"));
  ranks.barrier();

  // the parts are there, its rows of the file cannot be written
  generate_forty(ranks, file);
  ranks.barrier();
  const auto whole = bytes_of(file);
  ranks.barrier();
  if (ranks.is_root()) std::filesystem::remove(file);
  ranks.barrier();
  CHECK(tests::says(message({.kind = Kind::fail, .byte = 30'000}), {"No space left on device"}));
  ranks.barrier();
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK_FALSE(std::filesystem::exists(folder / "d.h5.partial"));

  // and then the disk works again
  generate_forty(ranks, file);
  ranks.barrier();
  CHECK(bytes_of(file) == whole);

  // one rank does not see the file that is complete
  CHECK(tests::says(message({.kind = Kind::fail, .call = 0, .error = ENOENT, .only = "open"}),
                    {"d.h5", "No such file or directory"}));
  ranks.barrier();
}
