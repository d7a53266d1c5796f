# FindTopressTorch: LibTorch as imported targets, without LibTorch's own CMake package (that one
# stops when no matching CUDA toolkit is installed and asks CMake 3.25 for an unknown CUDA dialect).
#
# Looked up in this order: TOPRESS_TORCH_DIR (variable or environment), the `torch` package of the
# active Python, the private environment that ./dev makes under the user's cache directory, and
# TOPRESS_TORCH_HINT. The first of an acceptable version is taken; TOPRESS_TORCH_DIR is never passed over.
# Defines: topress::torch (headers, c10, torch_cpu), TopressTorch_VERSION, TopressTorch_DIR_USED.
include_guard()

function(_topress_torch_candidates out)
  # A folder that was named by hand is the only candidate.
  if(TOPRESS_TORCH_DIR)
    set(${out} "${TOPRESS_TORCH_DIR}" PARENT_SCOPE)
    return()
  elseif(DEFINED ENV{TOPRESS_TORCH_DIR})
    set(${out} "$ENV{TOPRESS_TORCH_DIR}" PARENT_SCOPE)
    return()
  endif()
  set(found "")
  find_program(TOPRESS_PYTHON NAMES python3)
  if(TOPRESS_PYTHON)
    # find_spec does not run torch's own code, which needs every CUDA library.
    execute_process(
      COMMAND ${TOPRESS_PYTHON} -c
              "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE from_python OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(from_python)
      list(APPEND found "${from_python}")
    endif()
  endif()
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(cache "$ENV{XDG_CACHE_HOME}")
  else()
    set(cache "$ENV{HOME}/.cache")
  endif()
  file(GLOB private "${cache}/topress/libtorch-*/lib/python3*/site-packages/torch")
  list(SORT private ORDER DESCENDING)
  list(APPEND found ${private} ${TOPRESS_TORCH_HINT})
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# The version of the LibTorch in a folder; empty if there is none.
function(_topress_torch_version directory out)
  set(${out} "" PARENT_SCOPE)
  if(NOT EXISTS "${directory}/include/ATen/ATen.h" OR NOT EXISTS "${directory}/lib/libtorch_cpu.so")
    return()
  endif()
  set(header "${directory}/include/torch/headeronly/version.h")
  if(NOT EXISTS "${header}")
    set(header "${directory}/include/torch/csrc/api/include/torch/version.h")
  endif()
  set(parts "")
  foreach(part MAJOR MINOR PATCH)
    file(STRINGS "${header}" line REGEX "define TORCH_VERSION_${part} [0-9]+")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND parts "${number}")
  endforeach()
  list(JOIN parts "." version)
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

_topress_torch_candidates(_topress_torch_dirs)
set(TopressTorch_DIR_USED "")
foreach(_dir IN LISTS _topress_torch_dirs)
  _topress_torch_version("${_dir}" _version)
  if(NOT _version)
    continue()
  endif()
  # Kept even when it does not fit, so that the message names what was found.
  set(TopressTorch_VERSION "${_version}")
  set(TopressTorch_DIR_USED "${_dir}")
  if(NOT TopressTorch_FIND_VERSION
     OR (TopressTorch_FIND_VERSION_EXACT AND _version VERSION_EQUAL TopressTorch_FIND_VERSION)
     OR (NOT TopressTorch_FIND_VERSION_EXACT AND _version VERSION_GREATER_EQUAL TopressTorch_FIND_VERSION))
    break()
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  TopressTorch
  REQUIRED_VARS TopressTorch_DIR_USED
  VERSION_VAR TopressTorch_VERSION
  REASON_FAILURE_MESSAGE
    "no LibTorch: run ./dev build (it installs one), or set TOPRESS_TORCH_DIR to the folder that holds include/ and lib/")

if(TopressTorch_FOUND AND NOT TARGET topress::torch)
  set(_lib "${TopressTorch_DIR_USED}/lib")
  foreach(_name c10 torch_cpu)
    add_library(topress::${_name} SHARED IMPORTED)
    set_target_properties(
      topress::${_name} PROPERTIES
      IMPORTED_LOCATION "${_lib}/lib${_name}.so"
      INTERFACE_INCLUDE_DIRECTORIES
        "${TopressTorch_DIR_USED}/include;${TopressTorch_DIR_USED}/include/torch/csrc/api/include"
      INTERFACE_COMPILE_DEFINITIONS "_GLIBCXX_USE_CXX11_ABI=1")
  endforeach()
  add_library(topress::torch INTERFACE IMPORTED)
  target_link_libraries(topress::torch INTERFACE topress::torch_cpu topress::c10)
  # For what speaks to CUDA through LibTorch; nothing that has to run without a device links it.
  if(EXISTS "${_lib}/libtorch_cuda.so" AND EXISTS "${_lib}/libc10_cuda.so")
    add_library(topress::torch_cuda INTERFACE IMPORTED)
    target_link_libraries(topress::torch_cuda INTERFACE topress::torch "${_lib}/libtorch_cuda.so" "${_lib}/libc10_cuda.so")
  endif()
  # libtorch_cpu finds its CUDA runtime through its own RPATH; the linker has to be told.
  file(GLOB _nvidia "${TopressTorch_DIR_USED}/../nvidia/*/lib")
  foreach(_dir IN LISTS _nvidia)
    target_link_options(topress::torch INTERFACE "LINKER:-rpath-link,${_dir}")
  endforeach()
  target_link_options(topress::torch INTERFACE "LINKER:-rpath,${_lib}")
endif()
