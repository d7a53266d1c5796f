# Every library the project builds on: one block each, with a version floor and the package that has it.

# Names the package when a dependency is missing, then stops.
function(topress_require package debian_package)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} was not found: apt-get install ${debian_package} (or ./dev build)")
  endif()
endfunction()

# Boost: Graph (header-only part) for ordering, DLL (header-only) for loading, Context for the test kit.
find_package(Boost 1.74 QUIET COMPONENTS context)
topress_require(Boost "libboost-dev libboost-context-dev")

find_package(tomlplusplus 3.3 QUIET)
topress_require(tomlplusplus libtomlplusplus-dev)

find_package(spdlog 1.10 QUIET)
topress_require(spdlog libspdlog-dev)

find_package(CLI11 2.1 QUIET)
topress_require(CLI11 libcli11-dev)

find_package(nlohmann_json 3.11 QUIET)
topress_require(nlohmann_json nlohmann-json3-dev)

find_package(OpenSSL 3.0 QUIET COMPONENTS Crypto)
topress_require(OpenSSL libssl-dev)

find_package(ZLIB QUIET)
topress_require(ZLIB zlib1g-dev)

find_package(Threads REQUIRED)

find_path(TOPRESS_XXHASH_INCLUDE xxhash.h)
if(NOT TOPRESS_XXHASH_INCLUDE)
  message(FATAL_ERROR "xxhash was not found: apt-get install libxxhash-dev (or ./dev build)")
endif()
add_library(topress_xxhash INTERFACE) # used header-only (XXH_INLINE_ALL)
target_include_directories(topress_xxhash SYSTEM INTERFACE ${TOPRESS_XXHASH_INCLUDE})

if(TOPRESS_WITH_TORCH)
  find_package(JPEG QUIET)
  topress_require(JPEG libjpeg-dev)
  find_package(PNG QUIET)
  topress_require(PNG libpng-dev)
  find_path(TOPRESS_MATIO_INCLUDE matio.h)
  find_library(TOPRESS_MATIO_LIBRARY matio)
  if(NOT TOPRESS_MATIO_INCLUDE OR NOT TOPRESS_MATIO_LIBRARY)
    message(FATAL_ERROR "matio was not found: apt-get install libmatio-dev (or ./dev build)")
  endif()
  add_library(topress_matio INTERFACE) # Debian's package has no CMake configuration
  target_include_directories(topress_matio SYSTEM INTERFACE ${TOPRESS_MATIO_INCLUDE})
  target_link_libraries(topress_matio INTERFACE ${TOPRESS_MATIO_LIBRARY})
  find_package(TopressTorch 2.11)
  topress_require(TopressTorch "nothing: LibTorch is no Debian package; ./dev build installs it")
  message(STATUS "LibTorch: ${TopressTorch_VERSION}")
endif()

if(TOPRESS_BUILD_TESTS)
  find_package(doctest 2.4.9 QUIET)
  topress_require(doctest doctest-dev)
endif()
