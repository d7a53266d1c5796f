# The kernel test kit as target topress::testkit: compiled in the reader's build, so that it carries
# the reader's sanitizers. From the source tree, or from an installed SDK.
include_guard()

find_path(
  TOPRESS_TESTKIT_SOURCE_DIR fibre.cpp
  HINTS ${CMAKE_CURRENT_LIST_DIR}/../testkit ${CMAKE_CURRENT_LIST_DIR}/../../../share/topress/testkit
  NO_DEFAULT_PATH)
find_path(
  TOPRESS_KERNEL_INCLUDE_DIR topress/kernel/launch.cuh
  HINTS ${CMAKE_CURRENT_LIST_DIR}/../include ${CMAKE_CURRENT_LIST_DIR}/../../../include
  NO_DEFAULT_PATH)
if(NOT TOPRESS_TESTKIT_SOURCE_DIR OR NOT TOPRESS_KERNEL_INCLUDE_DIR)
  message(FATAL_ERROR "the sources of the kernel test kit were not found beside ${CMAKE_CURRENT_LIST_DIR}")
endif()

find_package(Boost 1.74 QUIET COMPONENTS context)
if(NOT TARGET Boost::context)
  message(FATAL_ERROR "the kernel test kit needs Boost.Context: apt-get install libboost-context-dev")
endif()

add_library(
  topress_testkit STATIC
  ${TOPRESS_TESTKIT_SOURCE_DIR}/block.cpp
  ${TOPRESS_TESTKIT_SOURCE_DIR}/engine.cpp
  ${TOPRESS_TESTKIT_SOURCE_DIR}/fibre.cpp
  ${TOPRESS_TESTKIT_SOURCE_DIR}/guarded_buffer.cpp
  ${TOPRESS_TESTKIT_SOURCE_DIR}/schedule.cpp
  ${TOPRESS_TESTKIT_SOURCE_DIR}/warp.cpp)
add_library(topress::testkit ALIAS topress_testkit)
target_compile_features(topress_testkit PUBLIC cxx_std_17)
target_include_directories(topress_testkit PUBLIC ${TOPRESS_KERNEL_INCLUDE_DIR})
target_link_libraries(topress_testkit PRIVATE Boost::context)
# The engine switches millions of times in a test: optimised also where the kernels are not.
target_compile_options(topress_testkit PRIVATE -O2)
if(TARGET topress_warnings)
  target_link_libraries(topress_testkit PRIVATE topress_warnings topress_sanitizers)
endif()
