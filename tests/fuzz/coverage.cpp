// What guides libFuzzer where the compiler is gcc: it calls this in every block of our code, and libFuzzer reads the
// counters in this section as coverage (https://llvm.org/docs/LibFuzzer.html, "extra counters"). clang 14 compiles
// libtorch's headers in C++17 only.
#include <cstddef>
#include <cstdint>

[[gnu::section("__libfuzzer_extra_counters")]] static std::uint8_t counters[1 << 15];

extern "C" [[gnu::no_sanitize_coverage]] void __sanitizer_cov_trace_pc()
{
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  ++counters[(place ^ place >> 15) % sizeof counters];
}
