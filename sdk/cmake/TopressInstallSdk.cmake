# Installs the SDK as the CMake package `topress`: headers, functions, finder, templates, kernel test kit.
include_guard()
include(CMakePackageConfigHelpers)

function(topress_install_sdk)
  set(package_folder lib/cmake/topress)
  configure_file(cmake/topressConfig.cmake.in topressConfig.cmake @ONLY)
  # The package version is the program's; whether a plugin is accepted is decided by the ABI version.
  write_basic_package_version_file(topressConfigVersion.cmake VERSION ${PROJECT_VERSION}
                                   COMPATIBILITY SameMajorVersion)
  install(
    FILES ${CMAKE_CURRENT_BINARY_DIR}/topressConfig.cmake
          ${CMAKE_CURRENT_BINARY_DIR}/topressConfigVersion.cmake
          cmake/FindTopressTorch.cmake
          cmake/GenerateTopressEntry.cmake
          cmake/TopressAddConformanceTest.cmake
          cmake/TopressAddKernels.cmake
          cmake/TopressAddPlugin.cmake
          cmake/TopressKernelTestkit.cmake
          cmake/TopressRunDemo.cmake
          cmake/plugin.version
    DESTINATION ${package_folder}
    COMPONENT sdk)
  install(FILES ${PROJECT_SOURCE_DIR}/docs/plugin.schema.json DESTINATION share/topress COMPONENT sdk)
  install(DIRECTORY include/topress DESTINATION include COMPONENT sdk)
  install(DIRECTORY templates testkit DESTINATION share/topress COMPONENT sdk)
endfunction()
