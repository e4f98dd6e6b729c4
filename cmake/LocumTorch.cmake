# libtorch: Debian's, or another one, for example the wheel from PyPI (CUDA):
#
#     cmake --preset release -DCMAKE_PREFIX_PATH=…/site-packages/torch
#
# Give the `torch` folder itself. With its share/cmake instead, TorchConfig.cmake finds its own headers but, where both
# are installed, Debian's libraries.
if(NOT DEFINED TORCH_CUDA_ARCH_LIST AND NOT DEFINED ENV{TORCH_CUDA_ARCH_LIST})
  # TorchConfig.cmake would compile and run a program to learn this, which fails with CMake 3.25. It only chooses flags
  # for CUDA sources.
  set(TORCH_CUDA_ARCH_LIST 9.0)
endif()
find_package(Torch REQUIRED)

if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  message(FATAL_ERROR "${TORCH_INSTALL_PREFIX} was built with the C++ ABI of before 2011, which no other library here uses. "
                      "Take a libtorch built with the C++11 ABI (every wheel since 2.6).")
endif()

# A wheel brings libraries of its own beside libtorch: some are found at run time only, through its own RPATH, and its
# Fortran and OpenMP libraries are older than those PETSc was built with. The compiler's are linked first, through a
# folder that holds links to nothing else: the system's own folder would bring Debian's libtorch with it.
if(NOT TORCH_INSTALL_PREFIX STREQUAL "/usr")
  set(runtime_folder ${CMAKE_BINARY_DIR}/runtime)  # installed as lib/locum
  set(runtime_libraries "")
  foreach(library libgfortran.so.5 libgomp.so.1)
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${library}
                    OUTPUT_VARIABLE file OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(EXISTS ${TORCH_INSTALL_PREFIX}/lib/${library} AND EXISTS ${file})
      file(MAKE_DIRECTORY ${runtime_folder})
      file(CREATE_LINK ${file} ${runtime_folder}/${library} SYMBOLIC)
      list(APPEND runtime_libraries ${runtime_folder}/${library})
    endif()
  endforeach()
  list(PREPEND CMAKE_BUILD_RPATH ${runtime_folder})
  set_property(TARGET torch APPEND PROPERTY INTERFACE_LINK_OPTIONS
    LINKER:--allow-shlib-undefined LINKER:--push-state,--no-as-needed ${runtime_libraries} LINKER:--pop-state)
endif()

# It brings headers of fmt, too, of another version than the library spdlog and we are linked with. Ours go first, through
# such a folder.
if(EXISTS ${TORCH_INSTALL_PREFIX}/include/fmt AND NOT TORCH_INSTALL_PREFIX STREQUAL "/usr")
  find_path(fmt_headers fmt/core.h NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH REQUIRED)
  set(first_headers ${CMAKE_BINARY_DIR}/first_headers)
  file(MAKE_DIRECTORY ${first_headers})
  file(CREATE_LINK ${fmt_headers}/fmt ${first_headers}/fmt SYMBOLIC)
  list(PREPEND TORCH_INCLUDE_DIRS $<BUILD_INTERFACE:${first_headers}>)
endif()
