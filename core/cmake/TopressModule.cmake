# topress_add_module(): one folder of core/ as one static library.
include_guard()

# topress_add_module(NAME [TORCH] SOURCES file... [LINK target...] [LINK_PRIVATE target...])
# Headers are included by their path below core/ ("network/graph.hpp"). TORCH: links LibTorch and
# uses the precompiled ATen header shared by all such modules.
function(topress_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;LINK;LINK_PRIVATE")
  add_library(topress_${name} STATIC ${arg_SOURCES})
  target_include_directories(topress_${name} PUBLIC ${PROJECT_SOURCE_DIR}/core)
  target_link_libraries(topress_${name} PUBLIC ${arg_LINK} PRIVATE ${arg_LINK_PRIVATE}
                        topress_warnings topress_sanitizers)
  if(arg_TORCH)
    target_link_libraries(topress_${name} PUBLIC topress::torch)
    target_precompile_headers(topress_${name} REUSE_FROM topress_aten_pch)
  endif()
endfunction()
