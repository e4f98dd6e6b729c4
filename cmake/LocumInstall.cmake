# `cmake --install build/release --prefix FOLDER`; another project then says find_package(locum) and links locum::core,
# locum::operators, … (tests/install is such a project).
include(CMakePackageConfigHelpers)
set(locum_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/locum)

if(runtime_libraries)  # LocumTorch.cmake
  install(DIRECTORY ${runtime_folder}/ DESTINATION ${CMAKE_INSTALL_LIBDIR}/locum)
endif()
install(EXPORT locum-targets NAMESPACE locum:: DESTINATION ${locum_package_folder})
configure_package_config_file(cmake/locumConfig.cmake.in ${PROJECT_BINARY_DIR}/locumConfig.cmake
                              INSTALL_DESTINATION ${locum_package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/locumConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/locumConfig.cmake ${PROJECT_BINARY_DIR}/locumConfigVersion.cmake
  cmake/LocumDependencies.cmake cmake/LocumTorch.cmake
  DESTINATION ${locum_package_folder})
