# topress_add_kernels(): the kernels of a plugin as libraries of their own, without LibTorch.
include_guard()

# Where <topress/kernel/...> is: the source tree, or an installed SDK.
find_path(
  TOPRESS_KERNEL_INCLUDE_DIR topress/kernel/launch.cuh
  HINTS ${CMAKE_CURRENT_LIST_DIR}/../include ${CMAKE_CURRENT_LIST_DIR}/../../../include
  NO_DEFAULT_PATH)

# topress_add_kernels(NAME INCLUDE dir CPU_SOURCES file... CUDA_SOURCES file...)
# Makes
#   NAME_kernels_cpu   the CPU references
#   NAME_kernels_cuda  the launchers, only where the project has enabled CUDA: static, hidden runtime
#   NAME_kernels       both, with TOPRESS_HAVE_CUDA=1 where launchers exist: what a plugin links
# INCLUDE becomes an include directory of whoever links them. CUDA is off in a build without LibTorch.
function(topress_add_kernels name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "INCLUDE" "CPU_SOURCES;CUDA_SOURCES")
  add_library(${name}_kernels_cpu STATIC ${arg_CPU_SOURCES})
  target_compile_features(${name}_kernels_cpu PUBLIC cxx_std_17)
  # Changes no value: it only lets comparisons become vector selects (topress/kernel/fast_exp.hpp).
  target_compile_options(${name}_kernels_cpu PRIVATE -fno-trapping-math)
  target_include_directories(${name}_kernels_cpu PUBLIC ${TOPRESS_KERNEL_INCLUDE_DIR}
                                                        ${arg_INCLUDE})
  set_target_properties(${name}_kernels_cpu PROPERTIES POSITION_INDEPENDENT_CODE ON
                                                       CXX_VISIBILITY_PRESET hidden)
  # Threads are an option: results do not depend on them. LibTorch brings the same OpenMP runtime.
  find_package(OpenMP QUIET COMPONENTS CXX)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(${name}_kernels_cpu PRIVATE OpenMP::OpenMP_CXX)
  endif()
  foreach(settings topress_warnings topress_sanitizers)
    if(TARGET ${settings})
      target_link_libraries(${name}_kernels_cpu PRIVATE ${settings})
    endif()
  endforeach()

  add_library(${name}_kernels INTERFACE)
  target_link_libraries(${name}_kernels INTERFACE ${name}_kernels_cpu)
  if(CMAKE_CUDA_COMPILER AND arg_CUDA_SOURCES)
    _topress_add_cuda_kernels(${name} "${arg_INCLUDE}" "${arg_CUDA_SOURCES}")
    target_link_libraries(${name}_kernels INTERFACE ${name}_kernels_cuda)
    target_compile_definitions(${name}_kernels INTERFACE TOPRESS_HAVE_CUDA=1)
  endif()
endfunction()

function(_topress_add_cuda_kernels name include sources)
  find_package(CUDAToolkit REQUIRED)
  add_library(${name}_kernels_cuda STATIC ${sources})
  target_compile_features(${name}_kernels_cuda PUBLIC cuda_std_17)
  target_include_directories(${name}_kernels_cuda PUBLIC ${TOPRESS_KERNEL_INCLUDE_DIR} ${include})
  target_compile_options(${name}_kernels_cuda
                         PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-fvisibility=hidden,-Wall>)
  set_target_properties(${name}_kernels_cuda PROPERTIES POSITION_INDEPENDENT_CODE ON
                                                        CUDA_RUNTIME_LIBRARY Static)
  target_link_libraries(${name}_kernels_cuda PUBLIC CUDA::cudart_static)
endfunction()
