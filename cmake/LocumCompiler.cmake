# How sources are compiled, whatever they are.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers only hit the cache when ccache may ignore their time stamps. What a source depends on is read
  # from the compiler's list: preprocessing it first would parse torch/torch.h once more. Paths below the project count
  # as relative ones, so that builds beside each other (build/release, build/other) share what they have in common.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
endif()

# A file that includes torch/torch.h takes 1.5 to 2 GB of memory to compile: no more of them at once than fit.
cmake_host_system_information(RESULT available_memory QUERY AVAILABLE_PHYSICAL_MEMORY)  # MB
math(EXPR compile_jobs "${available_memory} / 2000 + 1")
set_property(GLOBAL PROPERTY JOB_POOLS compile=${compile_jobs})
set(CMAKE_JOB_POOL_COMPILE compile)
