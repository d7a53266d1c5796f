# Builds a small plugin against an installed and moved SDK: a mistake in its plugin.toml must end the
# build with line and column. In a folder with a space.
# Variables: BINARY_DIR (of topress), WORK (folder to use), GENERATOR, TORCH_DIR, SOURCE_DIR (of topress).
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGV}\n${text}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
run(${CMAKE_COMMAND} --install "${BINARY_DIR}" --component sdk --prefix "${WORK}/the first")
file(RENAME "${WORK}/the first" "${WORK}/and moved")
set(prefix "${WORK}/and moved")
if(NOT EXISTS "${prefix}/share/topress/plugin.schema.json")
  message(FATAL_ERROR "the JSON schema is not installed")
endif()

file(READ "${SOURCE_DIR}/docs/plugin.example.toml" text)
file(WRITE "${WORK}/a plugin/plugin.toml" "${text}")
file(WRITE "${WORK}/a plugin/empty.cpp" "")
file(WRITE "${WORK}/a plugin/CMakeLists.txt" "cmake_minimum_required(VERSION 3.25)
project(example LANGUAGES C CXX)
find_package(topress REQUIRED)
topress_add_plugin(example METADATA plugin.toml SOURCES empty.cpp)
")
run(${CMAKE_COMMAND} -S "${WORK}/a plugin" -B "${WORK}/build" -G "${GENERATOR}"
    "-DCMAKE_PREFIX_PATH=${prefix}" "-DTOPRESS_TORCH_DIR=${TORCH_DIR}")

# The checker alone accepts it; then two mistakes, both of which must be told.
run("${prefix}/bin/topress-metadata" "${WORK}/a plugin/plugin.toml")
string(REPLACE "reads = [\"topology\", \"weights\"]  " "reads = [\"topology\", \"weigths\"]  " text "${text}")
string(REPLACE "  is_not = 0 " "  is_not = -1" text "${text}")
file(WRITE "${WORK}/a plugin/plugin.toml" "${text}")
execute_process(COMMAND ${CMAKE_COMMAND} --build "${WORK}/build" RESULT_VARIABLE result
                OUTPUT_VARIABLE text ERROR_VARIABLE text)
message("${text}")
if(result EQUAL 0)
  message(FATAL_ERROR "the build went on")
endif()
foreach(expected "error\\[plugin/bad-metadata\\]: 'weigths' is not a resource"
                 "plugin\\.toml:21:9" "'epochs' in .* is '-1'" "plugin\\.toml:[0-9]+:12")
  if(NOT text MATCHES "${expected}")
    message(FATAL_ERROR "the build does not say ${expected}")
  endif()
endforeach()
