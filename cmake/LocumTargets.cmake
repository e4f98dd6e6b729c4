# One library target a folder, each with an include root of its own.
#
# `locum_library(core …)` makes target locum_core, alias locum::core. Its headers are included as <locum/core/….hpp>
# through build/include/core/locum/core, a link to the folder: who does not link locum::core cannot include them,
# so the compiler checks the direction of dependencies.
set(LOCUM_LIBRARIES "")

function(locum_library folder)
  set(target locum_${folder})
  add_library(${target} ${ARGN})
  add_library(locum::${folder} ALIAS ${target})
  set(root ${PROJECT_BINARY_DIR}/include/${folder})
  file(MAKE_DIRECTORY ${root}/locum)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/locum/${folder} SYMBOLIC)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${root}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${folder} DEFINE_SYMBOL "")  # one precompiled header for all
  locum_warnings(${target})
  install(TARGETS ${target} EXPORT locum-targets)
  install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/locum/${folder}
          FILES_MATCHING PATTERN "*.hpp" PATTERN "CMakeFiles" EXCLUDE)
endfunction()

# torch/torch.h takes 20 s to parse: every target reuses the one precompiled in locum_core.
function(locum_precompiled target)
  target_precompile_headers(${target} REUSE_FROM locum_core)
endfunction()

function(locum_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic)
endfunction()
