# topress_add_conformance_test(): the tests every plugin should pass, as CTest tests.
include_guard()

# topress_add_conformance_test(TARGET [DEMO config.toml [CHECK script.cmake]])
# Adds "TARGET: conformance", which runs `topress plugin check` on the library of TARGET, and with DEMO
# "TARGET: demo", which runs that configuration with the plugin. CHECK is run by `cmake -P` afterwards, with
# LEDGER set to the ledger.json of the run; it fails by message(FATAL_ERROR). Without its data set the
# demo is skipped. The program is the one of this topress (target topress::program).
function(topress_add_conformance_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DEMO;CHECK" "")
  if(NOT TARGET topress::program)
    message(WARNING "topress_add_conformance_test(${target}): this installation has no program "
                    "bin/topress, so there are no tests")
    return()
  endif()
  add_test(NAME "${target}: conformance" COMMAND $<TARGET_FILE:topress::program> plugin check
                                                 $<TARGET_FILE:${target}>)
  set_tests_properties("${target}: conformance" PROPERTIES LABELS conformance TIMEOUT 900)
  if(arg_DEMO)
    cmake_path(ABSOLUTE_PATH arg_DEMO BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    if(arg_CHECK)
      cmake_path(ABSOLUTE_PATH arg_CHECK BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
    add_test(
      NAME "${target}: demo"
      COMMAND
        ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:topress::program>" "-DCONFIG=${arg_DEMO}"
        "-DPLUGINS=$<TARGET_FILE_DIR:${target}>" "-DCHECK=${arg_CHECK}"
        "-DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/${target}_demo" -P
        "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/TopressRunDemo.cmake")
    set_tests_properties("${target}: demo" PROPERTIES LABELS demo TIMEOUT 600
                                                      SKIP_REGULAR_EXPRESSION "\\[SKIP\\]")
  endif()
endfunction()
