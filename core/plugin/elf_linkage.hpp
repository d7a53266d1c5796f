// How a plugin was linked, read from its dynamic section without opening it as a library.
#pragma once

#include "plugin/elf_file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace topress::plugin {

/// The first fields of the plugin entry, as they are in the file (the loader changes none of them).
struct EntryImage {
    bool is_object = false;  ///< a variable, not a function
    std::uint64_t symbol_size_bytes = 0;
    std::uint64_t magic = 0;
    std::uint32_t struct_size = 0;
    std::uint16_t abi_major = 0;
    std::uint16_t abi_minor = 0;
};

/// What the dynamic section and the program headers say.
struct Linkage {
    std::vector<std::string> needed;        ///< DT_NEEDED, in order
    std::vector<std::string> search_paths;  ///< parts of DT_RPATH and DT_RUNPATH
    std::vector<std::string> exports;       ///< defined global symbols, sorted; see read_linkage()
    std::optional<EntryImage> entry;        ///< of the exported topress_plugin_entry
    bool is_program = false;                ///< a position-independent program, not a library
    bool has_text_relocations = false;
    bool has_executable_stack = false;
    bool is_never_unloaded = false;    ///< marked with -z nodelete
    bool has_writable_code = false;    ///< a segment that is writable and executable
    bool imports_cxx = false;          ///< uses C++ functions of other libraries
    bool registers_operators = false;  ///< has a TORCH_LIBRARY or one of its kind
};

/// At most the tables of the dynamic section are read. Left out of `exports`: marks of old linkers
/// (`_end`, ...) and companions of the address sanitizer.
/// Throws: FileRefused{plugin/truncated} for a damaged table. Cost: about 0.1 ms.
[[nodiscard]] Linkage read_linkage(const ElfFile& file);

/// Names that only `plugin check` looks at.
struct SymbolNames {
    std::vector<std::string> imports;       ///< undefined symbols that must be there
    std::vector<std::string> weak_imports;  ///< those that may be missing
    std::vector<std::string> locals;  ///< of .symtab, for people and debuggers; none: stripped
};

/// Throws: FileRefused{plugin/truncated} for a damaged table. Cost: as much as there are symbols.
[[nodiscard]] SymbolNames read_symbol_names(const ElfFile& file);

}  // namespace topress::plugin
