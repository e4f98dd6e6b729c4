#include <locum/io/dataset.hpp>
#include <locum/physics/darcy.hpp>
#include <locum/solvers/generate.hpp>

#include <fstream>
#include <iterator>
#include <optional>

#include "support/catch.hpp"
#include "support/errors.hpp"
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
