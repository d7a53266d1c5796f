// What the loader would do with a shared library, read from its bytes: dependencies, symbols,
// flags, notes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace topress::conformance {

/// One dynamic symbol.
struct ElfSymbol {
    std::string name;
    bool is_defined = false;
    bool is_weak = false;
    bool is_local = false;
};

/// The parts of a shared library that the file checks look at.
struct ElfImage {
    std::uint64_t size_bytes = 0;
    std::vector<std::string> needed;         ///< DT_NEEDED
    std::vector<std::string> search_path;    ///< DT_RUNPATH or DT_RPATH, in parts
    std::vector<ElfSymbol> dynamic_symbols;  ///< those the loader sees
    std::vector<std::string> local_symbols;  ///< of .symtab; empty when stripped
    bool has_text_relocations = false;
    bool has_executable_stack = false;
    bool is_never_unloaded = false;  ///< DF_1_NODELETE
    int metadata_notes = 0;
    int build_notes = 0;
    std::uint64_t metadata_bytes = 0;
};

/// Every offset is checked against the file. Throws Error{file/cannot-read}; {plugin/not-elf};
/// {plugin/truncated} naming what lies outside.
[[nodiscard]] ElfImage read_elf_image(const std::filesystem::path& file);

}  // namespace topress::conformance
