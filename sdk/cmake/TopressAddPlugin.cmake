# topress_add_plugin(): one plugin folder -> one shared library with its metadata as an ELF note.
include_guard()

# topress_add_plugin(NAME METADATA plugin.toml SOURCES file... [CUDA_SOURCES file...] [LINK target...]
#                    [DESTINATION dir] [NO_INSTALL])
# Makes the MODULE library NAME.so in lib/topress/plugins below the build folder (or DESTINATION):
# plugin.toml as a note, hidden symbols, one export, no undefined symbols, never unloaded.
# CUDA_SOURCES are compiled when the project has CUDA enabled, with TOPRESS_HAVE_CUDA=1 for all sources
# and a static, hidden CUDA runtime; without CUDA they are left out.
function(topress_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_INSTALL" "METADATA;DESTINATION"
                        "SOURCES;CUDA_SOURCES;LINK")
  if(NOT arg_METADATA OR NOT arg_SOURCES)
    message(FATAL_ERROR "topress_add_plugin(${name}): METADATA and SOURCES are needed")
  endif()
  if(NOT arg_DESTINATION)
    set(arg_DESTINATION "${CMAKE_BINARY_DIR}/lib/topress/plugins")
  endif()
  add_library(${name} MODULE ${arg_SOURCES})
  _topress_generate_entry(${name} "${arg_METADATA}")
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE topress::sdk ${arg_LINK})
  # Inside topress the house rules apply; an author's project chooses its own warnings.
  if(TARGET topress_warnings)
    target_link_libraries(${name} PRIVATE topress_warnings topress_sanitizers)
  endif()
  # Whoever LINKs shared libraries of its own sets INSTALL_RPATH. The search path of a build folder would
  # end in an empty part, padding for the one to come, which the loader reads as the current folder; and
  # CMake warns of the two libgomp it knows, the compiler's and LibTorch's.
  set_target_properties(${name} PROPERTIES BUILD_WITH_INSTALL_RPATH ON)
  set_target_properties(
    ${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden
                       VISIBILITY_INLINES_HIDDEN ON LIBRARY_OUTPUT_DIRECTORY "${arg_DESTINATION}")
  _topress_seal(${name})
  if(arg_CUDA_SOURCES AND CMAKE_CUDA_COMPILER)
    target_sources(${name} PRIVATE ${arg_CUDA_SOURCES})
    target_compile_definitions(${name} PRIVATE TOPRESS_HAVE_CUDA=1)
    set_target_properties(${name} PROPERTIES CUDA_RUNTIME_LIBRARY Static
                                             CUDA_VISIBILITY_PRESET hidden)
  endif()
  if(NOT arg_NO_INSTALL)
    install(TARGETS ${name} LIBRARY DESTINATION lib/topress/plugins)
  endif()
endfunction()

# The metadata note and the entry, generated again whenever plugin.toml changes. The program that checks
# the file is the host's own parser: what is wrong ends the build, with line and column.
function(_topress_generate_entry name metadata)
  cmake_path(ABSOLUTE_PATH metadata BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${name}_entry.cpp")
  add_custom_command(
    OUTPUT "${generated}"
    COMMAND topress::metadata "${metadata}"
    COMMAND ${CMAKE_COMMAND} "-DMETADATA=${metadata}" "-DOUTPUT=${generated}" -P
            "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/GenerateTopressEntry.cmake"
    DEPENDS "${metadata}" "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/GenerateTopressEntry.cmake"
            topress::metadata
    COMMENT "Embedding the metadata of ${name}"
    VERBATIM)
  target_sources(${name} PRIVATE "${generated}")
endfunction()

# One exported symbol, everything resolved at link time, never unloaded.
function(_topress_seal name)
  set(script "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.version")
  target_link_options(${name} PRIVATE "LINKER:--version-script=${script}" "LINKER:-z,nodelete"
                      "LINKER:--exclude-libs,ALL")
  set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS "${script}")
  # The sanitizers leave their own runtime to be resolved by the program.
  if(NOT TOPRESS_SANITIZE)
    target_link_options(${name} PRIVATE "LINKER:--no-undefined")
  endif()
endfunction()
