// A bounded ELF64 reader: program headers -> note segments -> the two notes of a plugin.
// Nothing in the file is believed: every offset and size is checked against the file size first.
// Source: System V ABI, chapters "ELF Header", "Program Header", "Note Section"; see elf(5).
#include "plugin/note.hpp"

#include "plugin/refusal.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <functional>
#include <vector>

namespace topress::plugin {

namespace {

// A shared library has about ten program headers; a note segment holds plugin.toml and little else.
constexpr std::uint64_t kProgramHeaderLimit = 512;
constexpr std::uint64_t kNoteSegmentLimitBytes = kMetadataLimitBytes + (std::uint64_t{1} << 16);

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
constexpr const char* kMachineName = "x86-64";
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
constexpr const char* kMachineName = "AArch64";
#else
#error "name the ELF machine of this architecture here"
#endif

// Where bytes come from: memory or a file.
struct Source {
    std::uint64_t size_bytes = 0;
    std::function<bool(std::uint64_t offset, void* target, std::size_t size)> read;

    // Neither addition nor comparison may wrap.
    [[nodiscard]] bool contains(std::uint64_t offset, std::uint64_t size) const {
        return offset <= size_bytes && size <= size_bytes - offset;
    }

    template <class T>
    bool read_object(std::uint64_t offset, T& target) const {
        return contains(offset, sizeof(T)) && read(offset, &target, sizeof(T));
    }
};

// Ends the reading; caught in read_source().
struct Refused {
    Refusal refusal;
};

[[noreturn]] void refuse(Refusal refusal) {
    throw Refused{std::move(refusal)};
}

[[noreturn]] void refuse_truncated(const std::string& found, const std::string& expected) {
    refuse({"plugin/truncated",
            "the library is cut off or damaged",
            found,
            expected,
            "every part a library announces lies within its file",
            "copy or build the plugin again"});
}

[[noreturn]] void refuse_not_elf(const std::string& found) {
    refuse({"plugin/not-elf",
            "this is not a shared library",
            found,
            "an ELF shared library",
            "plugins are shared libraries made by topress_add_plugin()",
            "move the file out of the plugin folder, or build the plugin again"});
}

[[noreturn]] void refuse_architecture(const std::string& found) {
    refuse({"plugin/wrong-architecture",
            "the library was built for another kind of machine",
            found,
            std::string("64 bit little-endian ") + kMachineName,
            "plugin and program run on the same processor",
            "build the plugin on this machine"});
}

Elf64_Ehdr read_header(const Source& source) {
    unsigned char identity[EI_NIDENT] = {};
    const auto available = std::min<std::uint64_t>(source.size_bytes, sizeof(identity));
    if (!source.read(0, identity, available) || std::memcmp(identity, ELFMAG, SELFMAG) != 0) {
        refuse_not_elf(source.size_bytes == 0 ? "an empty file" : "a file without the ELF mark");
    }
    if (identity[EI_CLASS] != ELFCLASS64 || identity[EI_DATA] != ELFDATA2LSB) {
        refuse_architecture("a 32 bit or big-endian library");
    }
    Elf64_Ehdr header{};
    if (!source.read_object(0, header)) {
        refuse_truncated(std::to_string(source.size_bytes) + " bytes", "a complete ELF header");
    }
    if (header.e_machine != kMachine) {
        refuse_architecture("ELF machine " + std::to_string(header.e_machine));
    }
    if (header.e_type != ET_DYN) {
        refuse_not_elf("an ELF file of type " + std::to_string(header.e_type));
    }
    return header;
}

void check_section_table(const Source& source, const Elf64_Ehdr& header) {
    const std::uint64_t size = std::uint64_t{header.e_shnum} * header.e_shentsize;
    if (header.e_shnum != 0 && !source.contains(header.e_shoff, size)) {
        refuse_truncated(std::to_string(source.size_bytes) + " bytes",
                         "a section table at byte " + std::to_string(header.e_shoff));
    }
}

std::vector<Elf64_Phdr> read_program_headers(const Source& source, const Elf64_Ehdr& header) {
    if (header.e_phnum == 0 || header.e_phnum > kProgramHeaderLimit ||
        header.e_phentsize != sizeof(Elf64_Phdr)) {
        refuse_truncated(std::to_string(header.e_phnum) + " program headers of " +
                             std::to_string(header.e_phentsize) + " bytes",
                         "1 to " + std::to_string(kProgramHeaderLimit) + " of " +
                             std::to_string(sizeof(Elf64_Phdr)));
    }
    std::vector<Elf64_Phdr> headers(header.e_phnum);
    for (std::size_t i = 0; i < headers.size(); ++i) {
        // e_phoff near 2^64 must not wrap into the file.
        if (header.e_phoff > source.size_bytes ||
            !source.read_object(header.e_phoff + i * sizeof(Elf64_Phdr), headers[i])) {
            refuse_truncated("program header " + std::to_string(i) + " outside the file",
                             "all within " + std::to_string(source.size_bytes) + " bytes");
        }
    }
    return headers;
}

// A segment beyond the end of the file is SIGBUS inside dlopen.
void check_segments(const Source& source, const std::vector<Elf64_Phdr>& headers) {
    for (const Elf64_Phdr& header : headers) {
        const bool matters =
            header.p_type == PT_LOAD || header.p_type == PT_DYNAMIC || header.p_type == PT_NOTE;
        if (!matters) {
            continue;
        }
        if (!source.contains(header.p_offset, header.p_filesz)) {
            refuse_truncated("a segment of " + std::to_string(header.p_filesz) + " bytes at byte " +
                                 std::to_string(header.p_offset),
                             "all within " + std::to_string(source.size_bytes) + " bytes");
        }
        if (header.p_filesz > header.p_memsz) {
            refuse_truncated("a segment that is larger in the file than in memory",
                             "at most its size in memory");
        }
    }
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

// A longer note of a later minor version is cut; what a shorter one lacks stays zero and fails the
// gates.
void take_abi(std::string_view content, Found& found) {
    topress_abi_note note{};
    std::memcpy(&note, content.data(), std::min(content.size(), sizeof(note)));
    found.abi = note;
}

void take_note(const Elf64_Nhdr& note,
               std::string_view name,
               std::string_view content,
               Found& found) {
    if (name != std::string_view(TOPRESS_NOTE_NAME, sizeof(TOPRESS_NOTE_NAME))) {
        return;
    }
    if (note.n_type == TOPRESS_NOTE_TYPE) {
        take_metadata(content, found);
    } else if (note.n_type == TOPRESS_ABI_NOTE_TYPE && !found.abi) {
        take_abi(content, found);
    }
}

// Name and content sizes have 32 bits, so that 64 bit sums of them cannot wrap.
void walk_notes(std::string_view segment, std::uint64_t alignment, Found& found) {
    std::uint64_t at = 0;
    while (at + sizeof(Elf64_Nhdr) <= segment.size()) {
        Elf64_Nhdr note{};
        std::memcpy(&note, segment.data() + at, sizeof(note));
        const std::uint64_t name_at = at + sizeof(note);
        const std::uint64_t content_at = align_up(name_at + note.n_namesz, alignment);
        if (name_at + note.n_namesz > segment.size() ||
            content_at + note.n_descsz > segment.size()) {
            refuse_truncated("a note that ends after its segment", "whole notes");
        }
        take_note(
            note,
            segment.substr(name_at, note.n_namesz),
            segment.substr(std::min<std::uint64_t>(content_at, segment.size()), note.n_descsz),
            found);
        at = align_up(content_at + note.n_descsz, alignment);
    }
}

Found read_note_segments(const Source& source, const std::vector<Elf64_Phdr>& headers) {
    Found found;
    for (const Elf64_Phdr& header : headers) {
        if (header.p_type != PT_NOTE) {
            continue;
        }
        if (header.p_filesz > kNoteSegmentLimitBytes) {
            refuse({"plugin/bad-metadata",
                    "the notes of the library are too large",
                    std::to_string(header.p_filesz) + " bytes",
                    "at most " + std::to_string(kNoteSegmentLimitBytes) + " bytes",
                    {},
                    "shorten plugin.toml"});
        }
        std::string segment(header.p_filesz, '\0');
        if (!source.read(header.p_offset, segment.data(), segment.size())) {
            refuse_truncated("a note segment that cannot be read", "a readable file");
        }
        walk_notes(segment, header.p_align == 8 ? 8 : 4, found);
    }
    return found;
}

PluginNotes read_all(const Source& source) {
    const Elf64_Ehdr header = read_header(source);
    const std::vector<Elf64_Phdr> headers = read_program_headers(source, header);
    check_segments(source, headers);
    check_section_table(source, header);
    Found found = read_note_segments(source, headers);
    if (!found.metadata || !found.abi) {
        refuse({"plugin/no-note",
                found.metadata ? "the library does not say how it was built"
                               : "the library is not a topress plugin",
                found.metadata ? "metadata without a build note" : "no note with a plugin.toml",
                "both notes named '" TOPRESS_NOTE_NAME "'",
                "metadata is read before any code runs",
                "build it with topress_add_plugin() and TOPRESS_PLUGIN, or move it elsewhere"});
    }
    return {std::move(*found.metadata), *found.abi};
}

NoteReading read_source(const Source& source, const std::string& name) {
    try {
        return {read_all(source), {}};
    } catch (const Refused& refused) {
        return {std::nullopt, to_diagnostic(refused.refusal, name)};
    }
}

}  // namespace

NoteReading parse_notes(std::string_view bytes, const std::string& name) {
    Source source;
    source.size_bytes = bytes.size();
    source.read = [bytes](std::uint64_t offset, void* target, std::size_t size) {
        if (size != 0) {
            std::memcpy(target, bytes.data() + offset, size);
        }
        return true;
    };
    return read_source(source, name);
}

NoteReading read_notes(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::error_code error;
    Source source;
    source.size_bytes = std::filesystem::file_size(file, error);
    if (!stream || error) {
        return {std::nullopt,
                to_diagnostic({"plugin/cannot-load",
                               "the library cannot be read",
                               error ? error.message() : "no permission",
                               "a readable file",
                               {},
                               "check the permissions of the file"},
                              file.string())};
    }
    source.read = [&stream](std::uint64_t offset, void* target, std::size_t size) {
        stream.clear();
        stream.seekg(static_cast<std::streamoff>(offset));
        stream.read(static_cast<char*>(target), static_cast<std::streamsize>(size));
        return stream.gcount() == static_cast<std::streamsize>(size);
    };
    return read_source(source, file.string());
}

}  // namespace topress::plugin
