// Reads the notes of a plugin from its file, bounded, without opening it as a library.
#pragma once

#include "base/diagnostic.hpp"
#include "plugin/elf_linkage.hpp"

#include <topress/abi.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace topress::plugin {

/// No plugin.toml is larger than this.
inline constexpr std::size_t kMetadataLimitBytes = std::size_t{1} << 20;

/// The two notes of a plugin, plugin.toml and how it was built; and how it was linked.
struct PluginNotes {
    std::string metadata;
    topress_abi_note abi{};
    Linkage linkage;
};

/// Notes, or the refusal: plugin/not-elf, plugin/wrong-architecture, plugin/truncated,
/// plugin/no-note, plugin/bad-metadata (too large, or two different ones), plugin/bad-note (the
/// same of the build note), plugin/cannot-load (not readable).
struct NoteReading {
    std::optional<PluginNotes> notes;
    Diagnostic refusal;
};

/// Reads from a file. Every offset is checked against the file size; at most the program headers,
/// the note segments and the dynamic tables are read. Cost: about 0.1 ms, whatever the size of the
/// library.
[[nodiscard]] NoteReading read_notes(const std::filesystem::path& file);

/// The same from memory; `name` is shown in the refusal.
[[nodiscard]] NoteReading parse_notes(std::string_view bytes, const std::string& name);

/// How many notes of ours a library has, whatever is in them.
struct NoteCounts {
    int metadata = 0;
    int build = 0;
    std::uint64_t metadata_bytes = 0;  ///< of the last one
};

/// Throws: FileRefused{plugin/truncated} for notes that leave their segment.
[[nodiscard]] NoteCounts count_notes(const ElfFile& file);

}  // namespace topress::plugin
