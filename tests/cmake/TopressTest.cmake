# topress_add_test_executable(): one doctest program, each of its cases a CTest test.
include_guard()
include(doctest)

# topress_add_test_executable(NAME LABEL label [TORCH] SOURCES file... [LINK target...] [TIMEOUT seconds])
# Every case of the program becomes one CTest test "NAME: case" labelled LABEL; a case that prints
# "[SKIP]" is shown as skipped.
function(topress_add_test_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "LABEL;TIMEOUT" "SOURCES;LINK")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/main.cpp)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  set_property(
    SOURCE ${PROJECT_SOURCE_DIR}/tests/support/main.cpp
    PROPERTY COMPILE_DEFINITIONS TOPRESS_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LINK} doctest::doctest topress_warnings
                                        topress_sanitizers)
  if(NOT arg_TORCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlaps in `"text" + std::string` that are not there (GCC bug 105651).
    target_compile_options(${name} PRIVATE -Wno-restrict)
  endif()
  if(arg_TORCH)
    target_link_libraries(${name} PRIVATE topress::torch)
    target_precompile_headers(${name} REUSE_FROM topress_aten_pch)
  endif()
  doctest_discover_tests(
    ${name}
    TEST_PREFIX "${name}: "
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} SKIP_REGULAR_EXPRESSION "\\[SKIP\\]"
    ENVIRONMENT TOPRESS_TEST_SOURCE_DIR=${PROJECT_SOURCE_DIR})
endfunction()
