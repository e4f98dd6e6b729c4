#pragma once
#include <exception>
#include <string>

#include "communicator.hpp"
#include "error.hpp"

namespace locum {

/// Runs `work` on every rank; if one throws, all throw, with the first failing rank's message.
///
/// Collective. `work` must not communicate: a rank that threw would leave the rest waiting. The first failing rank
/// rethrows its own exception, the others throw RankError. With one rank this is a plain call.
template <class Work>
void agree(const Communicator& ranks, Work&& work)
{
  std::exception_ptr failure;
  std::string message;
  try {
    work();
  } catch (const std::exception& error) {
    failure = std::current_exception();
    message = error.what();
  }
  const int first = ranks.minimum(failure ? ranks.rank() : ranks.size());
  if (first == ranks.size()) return;
  message = ranks.broadcast(std::move(message), first);
  if (ranks.rank() == first) std::rethrow_exception(failure);
  throw RankError(first, message);
}

}  // namespace locum
