# Installs the SDK to a private prefix and builds tests/third_party against it, as a third party does;
# runs the tests of that build too.
# Variables: BINARY_DIR (of topress), SOURCE, WORK (folder to use), GENERATOR, TORCH_DIR, CUDA (a compiler, or empty).
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGV}\n${text}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install "${BINARY_DIR}" --component sdk --prefix "${WORK}/prefix")
# A copy: nothing beside it may be found by chance.
file(REMOVE_RECURSE "${WORK}/source")
file(COPY "${SOURCE}/" DESTINATION "${WORK}/source")
set(cuda -DTHIRD_PARTY_CUDA=OFF)
if(CUDA)
  set(cuda -DTHIRD_PARTY_CUDA=ON "-DCMAKE_CUDA_COMPILER=${CUDA}")
endif()
run(${CMAKE_COMMAND} -S "${WORK}/source" -B "${WORK}/build" -G "${GENERATOR}"
    "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DTOPRESS_TORCH_DIR=${TORCH_DIR}" ${cuda})
run(${CMAKE_COMMAND} --build "${WORK}/build")
run(${CMAKE_CTEST_COMMAND} --test-dir "${WORK}/build" --output-on-failure --no-tests=error)
