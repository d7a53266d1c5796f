// Everything `plugin check` wants to know about a library as a file, by the readers of the gates.
#pragma once

#include "plugin/elf_linkage.hpp"
#include "plugin/note.hpp"

#include <cstdint>
#include <filesystem>

namespace topress::plugin {

struct FileImage {
    std::uint64_t size_bytes = 0;
    Linkage linkage;
    SymbolNames symbols;
    NoteCounts notes;
};

/// Bounded, opens nothing as a library. Throws Error with the code of the refusal: plugin/not-elf,
/// plugin/wrong-architecture, plugin/truncated, plugin/cannot-load.
[[nodiscard]] FileImage read_file_image(const std::filesystem::path& file);

}  // namespace topress::plugin
