#pragma once

/// Before a function of plain loops: compiles it for several instruction sets, of which the processor's best is taken
/// when the program starts. What it calls must be inlined. Results may differ in rounding from one processor to
/// another, not from run to run. Levels, not processors: "arch=haswell" is taken by that processor alone.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define LOCUM_FOR_PROCESSORS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LOCUM_FOR_PROCESSORS
#endif
