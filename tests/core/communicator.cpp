#include <locum/core/agree.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;

TEST_CASE("agree: when one rank fails, every rank throws its message", "[core][error][ranks3]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  REQUIRE(ranks.size() == 3);
  const auto message = tests::message_of([&] {
    agree(ranks, [&] {
      if (ranks.rank() == 1)
        throw DataError(
            {.doing = "reading", .where = "u.h5", .found = "NaN", .expected = "finite values", .advice = ""});
    });
  });
  CHECK(tests::says(message, {"u.h5", "NaN", "finite values"}));
  CHECK((message.find("rank 1 failed") != std::string::npos) == (ranks.rank() != 1));
}

TEST_CASE("agree: nobody failing, everybody goes on", "[core][ranks3]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  int done = 0;
  agree(ranks, [&] { ++done; });
  CHECK(ranks.sum(done) == 3);
}

TEST_CASE("gather: strings of different lengths arrive by rank", "[core][ranks3]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const auto all = ranks.gather(std::string(static_cast<std::size_t>(ranks.rank()), 'x'));
  CHECK(all == std::vector<std::string>{"", "x", "xx"});
}

TEST_CASE("a default communicator is this process alone", "[core]")
{
  const Communicator alone;
  CHECK(alone.size() == 1);
  CHECK(alone.sum(7) == 7);
  CHECK(alone.broadcast("word") == "word");
}
