#include "instructions.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

// The same source for each instruction set, in a namespace of its own: code for wide registers must not get into
// functions that run on every machine, as it would through templates shared by several compilations. Every header it
// needs is included above.

#define LOCUM_REGISTER_BYTES 16
#define LOCUM_TILE_ROWS 6
#define LOCUM_TILE_VECTORS 2
#define LOCUM_SYNTHESIS_ROWS 3
#define LOCUM_SYNTHESIS_VECTORS 1
namespace locum::operators::kernels::baseline {
#include "instructions.inc"
}
#undef LOCUM_REGISTER_BYTES
#undef LOCUM_TILE_ROWS
#undef LOCUM_TILE_VECTORS
#undef LOCUM_SYNTHESIS_ROWS
#undef LOCUM_SYNTHESIS_VECTORS

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LOCUM_SEVERAL_SETS

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define LOCUM_REGISTER_BYTES 32
#define LOCUM_TILE_ROWS 6
#define LOCUM_TILE_VECTORS 2
#define LOCUM_SYNTHESIS_ROWS 3
#define LOCUM_SYNTHESIS_VECTORS 1
namespace locum::operators::kernels::v3 {
#include "instructions.inc"
}
#undef LOCUM_REGISTER_BYTES
#undef LOCUM_TILE_ROWS
#undef LOCUM_TILE_VECTORS
#undef LOCUM_SYNTHESIS_ROWS
#undef LOCUM_SYNTHESIS_VECTORS
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#define LOCUM_REGISTER_BYTES 64
#define LOCUM_TILE_ROWS 12
#define LOCUM_TILE_VECTORS 2
#define LOCUM_SYNTHESIS_ROWS 3
#define LOCUM_SYNTHESIS_VECTORS 2
namespace locum::operators::kernels::v4 {
#include "instructions.inc"
}
#undef LOCUM_REGISTER_BYTES
#undef LOCUM_TILE_ROWS
#undef LOCUM_TILE_VECTORS
#undef LOCUM_SYNTHESIS_ROWS
#undef LOCUM_SYNTHESIS_VECTORS
#pragma GCC pop_options
#endif

namespace locum::operators::kernels {

template <class T>
const std::vector<Instructions<T>>& available_instructions()
{
  static const auto sets = [] {
    std::vector<Instructions<T>> there = {baseline::table<T>("baseline")};
#ifdef LOCUM_SEVERAL_SETS
    if (__builtin_cpu_supports("x86-64-v3")) there.push_back(v3::table<T>("x86-64-v3"));
    if (__builtin_cpu_supports("x86-64-v4")) there.push_back(v4::table<T>("x86-64-v4"));
#endif
    return there;
  }();
  return sets;
}

template const std::vector<Instructions<float>>& available_instructions();
template const std::vector<Instructions<double>>& available_instructions();

}  // namespace locum::operators::kernels
