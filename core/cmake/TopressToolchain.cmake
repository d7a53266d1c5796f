# Compiler settings as INTERFACE targets (linked PRIVATE, so consumers inherit nothing), ccache, CUDA.
add_library(topress_warnings INTERFACE)
target_compile_options(
  topress_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wconversion;-Wshadow;-Wnon-virtual-dtor;-Wold-style-cast>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${TOPRESS_WARNINGS_AS_ERRORS}>>:-Werror>)

add_library(topress_sanitizers INTERFACE)
if(TOPRESS_SANITIZE)
  target_compile_options(topress_sanitizers INTERFACE -fsanitize=${TOPRESS_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(topress_sanitizers INTERFACE -fsanitize=${TOPRESS_SANITIZE})
endif()

find_program(TOPRESS_CCACHE ccache)
if(TOPRESS_CCACHE)
  # Precompiled headers need the sloppiness switches to be cacheable; paths relative to the source tree
  # let clones share one cache.
  set(topress_launcher
      ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${TOPRESS_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${topress_launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${topress_launcher})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${topress_launcher})
endif()

# CUDA: ON fails loudly, AUTO prints one line. CMake 3.25 knows no CUDA20 dialect: .cu files are C++17.
set(TOPRESS_HAVE_CUDA OFF)
if(NOT TOPRESS_CUDA STREQUAL "OFF" AND TOPRESS_WITH_TORCH)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80 90)
    endif()
    enable_language(CUDA)
    set(CMAKE_CUDA_STANDARD 17)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(TOPRESS_HAVE_CUDA ON)
  elseif(TOPRESS_CUDA STREQUAL "ON")
    message(FATAL_ERROR "TOPRESS_CUDA=ON, but no CUDA compiler was found: put nvcc on PATH or set "
                        "CUDACXX, or configure with -DTOPRESS_CUDA=AUTO")
  endif()
endif()
message(STATUS "CUDA kernels: ${TOPRESS_HAVE_CUDA}")
