# Every library the project stands on, found once.
find_package(PkgConfig REQUIRED)
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers only hit the cache when ccache may ignore their time stamps.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
endif()

find_package(MPI REQUIRED COMPONENTS CXX)
find_package(Torch REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
# Debian names the parallel build by its MPI; other systems just "hdf5".
pkg_search_module(HDF5 REQUIRED IMPORTED_TARGET hdf5-openmpi hdf5-mpich hdf5-mpi hdf5)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(CLI11 REQUIRED IMPORTED_TARGET CLI11)
find_package(nlohmann_json REQUIRED)

if(LOCUM_VTK)
  find_package(VTK QUIET COMPONENTS CommonCore CommonDataModel IOXML)
  if(NOT VTK_FOUND)
    message(FATAL_ERROR "VTK was not found. Install libvtk9-dev, or configure with -DLOCUM_VTK=OFF to build without ParaView output.")
  endif()
endif()

if(LOCUM_PETSC)
  file(GLOB petsc_pkgconfig /usr/lib/petscdir/petsc*/*-real/lib/pkgconfig /usr/lib/petscdir/petsc-real/lib/pkgconfig)
  foreach(folder IN LISTS petsc_pkgconfig)
    set(ENV{PKG_CONFIG_PATH} "$ENV{PKG_CONFIG_PATH}:${folder}")
  endforeach()
  pkg_search_module(PETSC IMPORTED_TARGET petsc PETSc)
  if(NOT PETSC_FOUND)
    message(FATAL_ERROR "PETSc was not found. Install petsc-dev or set PKG_CONFIG_PATH, or configure with -DLOCUM_PETSC=OFF to build without reference solvers.")
  endif()
endif()
