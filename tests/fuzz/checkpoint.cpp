#include <locum/core/error.hpp>
#include <locum/io/checkpoints/checkpoint.hpp>

#include "support/checkpoint_footer.hpp"

static void parse(std::span<const std::byte> bytes)
{
  try {
    locum::io::Checkpoint::parse(bytes, "fuzz.h5");
  } catch (const locum::Error&) {
  }
}

/// Checkpoints: as they are, of which the hash lets none pass, and with the right hash, so that HDF5 sees them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const auto bytes = std::as_bytes(std::span(data, size));
  parse(bytes);
  parse(locum::tests::with_footer(bytes));
  return 0;
}
