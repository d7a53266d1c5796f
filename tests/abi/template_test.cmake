# Installs the SDK to a private prefix, moves it, and builds the template there as an author would.
# Variables: BINARY_DIR (of topress), WORK (folder to use), GENERATOR, TORCH_DIR, CHECK (program that examines it).
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGV}\n${text}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
run(${CMAKE_COMMAND} --install "${BINARY_DIR}" --component sdk --prefix "${WORK}/first")
file(RENAME "${WORK}/first" "${WORK}/moved")
file(COPY "${WORK}/moved/share/topress/template" DESTINATION "${WORK}")
run(${CMAKE_COMMAND} -S "${WORK}/template" -B "${WORK}/build" -G "${GENERATOR}"
    "-DCMAKE_PREFIX_PATH=${WORK}/moved" "-DTOPRESS_TORCH_DIR=${TORCH_DIR}")
run(${CMAKE_COMMAND} --build "${WORK}/build")
set(plugin "${WORK}/build/lib/topress/plugins/scaling.so")
execute_process(COMMAND "${CHECK}" "${plugin}" RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
message("${text}")
if(NOT result EQUAL 0)
  message(FATAL_ERROR "the template's plugin is refused")
endif()
