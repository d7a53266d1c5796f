// Note segments -> the two notes of a plugin, and with them how the library was linked.
// Nothing in the file is believed: every offset and size is checked against the file size first.
// Source: System V ABI, chapter "Note Section"; see elf(5).
#include "plugin/note.hpp"

#include "plugin/elf_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace topress::plugin {

namespace {

constexpr std::uint64_t kNoteSegmentLimitBytes = kMetadataLimitBytes + (std::uint64_t{1} << 16);

[[noreturn]] void refuse(Refusal refusal) {
    throw FileRefused{std::move(refusal)};
}

[[noreturn]] void refuse_build_note(const std::string& found, const std::string& expected) {
    refuse({"plugin/bad-note",
            "the note on how the library was built is not one this topress can read",
            found,
            expected,
            "one library is one plugin, built once",
            "build the plugin again with topress_add_plugin(); do not edit the library"});
}

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

// The notes of ours seen so far.
struct Found {
    std::optional<std::string> metadata;
    std::optional<topress_abi_note> abi;
};

void take_metadata(std::string_view content, Found& found) {
    if (content.size() > kMetadataLimitBytes) {
        refuse({"plugin/bad-metadata",
                "the metadata is too large",
                std::to_string(content.size()) + " bytes",
                "at most " + std::to_string(kMetadataLimitBytes) + " bytes",
                {},
                "shorten plugin.toml"});
    }
    if (found.metadata && *found.metadata != content) {
        refuse({"plugin/bad-metadata",
                "the library carries two different plugin.toml",
                {},
                "one",
                "one library is one plugin",
                "call topress_add_plugin() once for each library"});
    }
    found.metadata = std::string(content);
}

// A longer note of a later minor version is cut. One of another major may have another form from
// its fourth field on: the gate refuses it by its major.
void take_abi(std::string_view content, Found& found) {
    topress_abi_note note{};
    if (content.size() < offsetof(topress_abi_note, fingerprint)) {
        refuse_build_note(std::to_string(content.size()) + " bytes",
                          "at least " + std::to_string(sizeof(note)));
    }
    std::memcpy(&note, content.data(), std::min(content.size(), sizeof(note)));
    if (note.abi_major == TOPRESS_ABI_MAJOR &&
        (note.struct_size < sizeof(note) || note.struct_size > content.size())) {
        refuse_build_note("a size of " + std::to_string(note.struct_size) + " in " +
                              std::to_string(content.size()) + " bytes",
                          std::to_string(sizeof(note)) + " or more, and all of them");
    }
    if (found.abi && std::memcmp(&*found.abi, &note, sizeof(note)) != 0) {
        refuse_build_note("two different ones", "one");
    }
    found.abi = note;
}

void take_note(std::uint32_t type, std::string_view content, Found& found) {
    if (type == TOPRESS_NOTE_TYPE) {
        take_metadata(content, found);
    } else if (type == TOPRESS_ABI_NOTE_TYPE) {
        take_abi(content, found);
    }
}

// Calls take(type, content) for each note of ours. Name and content sizes have 32 bits, so that 64
// bit sums of them cannot wrap.
template <class Take>
void walk_notes(std::string_view segment, std::uint64_t alignment, const Take& take) {
    constexpr std::string_view kOurs(TOPRESS_NOTE_NAME, sizeof(TOPRESS_NOTE_NAME));
    std::uint64_t at = 0;
    while (at + sizeof(Elf64_Nhdr) <= segment.size()) {
        Elf64_Nhdr note{};
        std::memcpy(&note, segment.data() + at, sizeof(note));
        const std::uint64_t name_at = at + sizeof(note);
        const std::uint64_t content_at = align_up(name_at + note.n_namesz, alignment);
        if (name_at + note.n_namesz > segment.size() ||
            content_at + note.n_descsz > segment.size()) {
            refuse_damaged("a note that ends after its segment", "whole notes");
        }
        if (segment.substr(name_at, note.n_namesz) == kOurs) {
            const std::uint64_t start = std::min<std::uint64_t>(content_at, segment.size());
            take(note.n_type, segment.substr(start, note.n_descsz));
        }
        at = align_up(content_at + note.n_descsz, alignment);
    }
}

std::uint64_t alignment_of(const Elf64_Phdr& segment) {
    return segment.p_align == 8 ? 8 : 4;
}

Found read_note_segments(const ElfFile& file) {
    Found found;
    for (const Elf64_Phdr& segment : file.segments()) {
        if (segment.p_type != PT_NOTE) {
            continue;
        }
        if (segment.p_filesz > kNoteSegmentLimitBytes) {
            refuse({"plugin/bad-metadata",
                    "the notes of the library are too large",
                    std::to_string(segment.p_filesz) + " bytes",
                    "at most " + std::to_string(kNoteSegmentLimitBytes) + " bytes",
                    {},
                    "shorten plugin.toml"});
        }
        const std::string notes = file.source().read_text(segment.p_offset, segment.p_filesz);
        walk_notes(notes, alignment_of(segment), [&](std::uint32_t type, std::string_view content) {
            take_note(type, content, found);
        });
    }
    return found;
}

PluginNotes read_all(const ElfFile& file) {
    Found found = read_note_segments(file);
    if (!found.metadata || !found.abi) {
        refuse({"plugin/no-note",
                found.metadata ? "the library does not say how it was built"
                               : "the library is not a topress plugin",
                found.metadata ? "metadata without a build note" : "no note with a plugin.toml",
                "both notes named '" TOPRESS_NOTE_NAME "'",
                "metadata is read before any code runs",
                "build it with topress_add_plugin() and TOPRESS_PLUGIN, or move it elsewhere"});
    }
    return {std::move(*found.metadata), *found.abi, read_linkage(file)};
}

template <class MakeSource>
NoteReading read_source(MakeSource make_source, const std::string& name) {
    try {
        return {read_all(ElfFile(make_source())), {}};
    } catch (const FileRefused& refused) {
        return {std::nullopt, to_diagnostic(refused.refusal, name)};
    }
}

}  // namespace

NoteCounts count_notes(const ElfFile& file) {
    NoteCounts counts;
    const auto count = [&](std::uint32_t type, std::string_view content) {
        if (type == TOPRESS_NOTE_TYPE) {
            ++counts.metadata;
            counts.metadata_bytes = content.size();
        } else if (type == TOPRESS_ABI_NOTE_TYPE) {
            ++counts.build;
        }
    };
    for (const Elf64_Phdr& segment : file.segments()) {
        if (segment.p_type == PT_NOTE) {
            const std::string notes = file.source().read_text(segment.p_offset, segment.p_filesz);
            walk_notes(notes, alignment_of(segment), count);
        }
    }
    return counts;
}

NoteReading parse_notes(std::string_view bytes, const std::string& name) {
    return read_source([&] { return ByteSource::from_memory(bytes); }, name);
}

NoteReading read_notes(const std::filesystem::path& file) {
    return read_source([&] { return ByteSource::from_file(file); }, file.string());
}

}  // namespace topress::plugin
