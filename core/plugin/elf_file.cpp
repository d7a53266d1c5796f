// Bytes of a file or of memory, the ELF header and the program headers, checked before they are
// believed. Source: System V ABI, chapters "ELF Header" and "Program Header"; see elf(5).
#include "plugin/elf_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace topress::plugin {

namespace {

// A shared library has about ten program headers.
constexpr std::uint64_t kProgramHeaderLimit = 512;

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
constexpr const char* kMachineName = "x86-64";
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
constexpr const char* kMachineName = "AArch64";
#else
#error "name the ELF machine of this architecture here"
#endif

[[noreturn]] void refuse_not_elf(const std::string& found) {
    throw FileRefused{{"plugin/not-elf",
                       "this is not a shared library",
                       found,
                       "an ELF shared library",
                       "plugins are shared libraries made by topress_add_plugin()",
                       "move the file out of the plugin folder, or build the plugin again"}};
}

[[noreturn]] void refuse_architecture(const std::string& found) {
    throw FileRefused{{"plugin/wrong-architecture",
                       "the library was built for another kind of machine",
                       found,
                       std::string("64 bit little-endian ") + kMachineName,
                       "plugin and program run on the same processor",
                       "build the plugin on this machine"}};
}

[[noreturn]] void refuse_unreadable(int reason) {
    throw FileRefused{{"plugin/cannot-load",
                       "the library cannot be read",
                       std::strerror(reason),
                       "a readable file",
                       {},
                       "check the permissions of the file"}};
}

std::string within(const ByteSource& source) {
    return "all within " + std::to_string(source.size_bytes()) + " bytes";
}

Elf64_Ehdr read_header(const ByteSource& source) {
    unsigned char identity[EI_NIDENT] = {};
    source.read(0, identity, std::min<std::uint64_t>(source.size_bytes(), sizeof(identity)));
    if (std::memcmp(identity, ELFMAG, SELFMAG) != 0) {
        refuse_not_elf(source.size_bytes() == 0 ? "an empty file" : "a file without the ELF mark");
    }
    const bool is_identified = source.contains(0, sizeof(identity));
    if (is_identified && (identity[EI_CLASS] != ELFCLASS64 || identity[EI_DATA] != ELFDATA2LSB)) {
        refuse_architecture("a 32 bit or big-endian library");
    }
    if (!source.contains(0, sizeof(Elf64_Ehdr))) {
        refuse_damaged(std::to_string(source.size_bytes()) + " bytes", "a complete ELF header");
    }
    const auto header = source.read_object<Elf64_Ehdr>(0);
    if (header.e_machine != kMachine) {
        refuse_architecture("ELF machine " + std::to_string(header.e_machine));
    }
    if (header.e_type != ET_DYN) {
        refuse_not_elf("an ELF file of type " + std::to_string(header.e_type));
    }
    return header;
}

void check_section_table(const ByteSource& source, const Elf64_Ehdr& header) {
    const std::uint64_t size = std::uint64_t{header.e_shnum} * header.e_shentsize;
    if (header.e_shnum != 0 && !source.contains(header.e_shoff, size)) {
        refuse_damaged(std::to_string(source.size_bytes()) + " bytes",
                       "a section table at byte " + std::to_string(header.e_shoff));
    }
}

std::vector<Elf64_Phdr> read_segments(const ByteSource& source, const Elf64_Ehdr& header) {
    if (header.e_phnum == 0 || header.e_phnum > kProgramHeaderLimit ||
        header.e_phentsize != sizeof(Elf64_Phdr)) {
        refuse_damaged(std::to_string(header.e_phnum) + " program headers of " +
                           std::to_string(header.e_phentsize) + " bytes",
                       "1 to " + std::to_string(kProgramHeaderLimit) + " of " +
                           std::to_string(sizeof(Elf64_Phdr)));
    }
    if (!source.contains(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr))) {
        refuse_damaged("program headers at byte " + std::to_string(header.e_phoff), within(source));
    }
    return source.read_array<Elf64_Phdr>(header.e_phoff, header.e_phnum);
}

// A segment beyond the end of the file is SIGBUS inside dlopen.
void check_segment(const ByteSource& source, const Elf64_Phdr& segment) {
    if (!source.contains(segment.p_offset, segment.p_filesz)) {
        refuse_damaged("a segment of " + std::to_string(segment.p_filesz) + " bytes at byte " +
                           std::to_string(segment.p_offset),
                       within(source));
    }
    if (segment.p_filesz > segment.p_memsz) {
        refuse_damaged("a segment that is larger in the file than in memory",
                       "at most its size in memory");
    }
}

bool matters(const Elf64_Phdr& segment) {
    return segment.p_type == PT_LOAD || segment.p_type == PT_DYNAMIC || segment.p_type == PT_NOTE;
}

}  // namespace

void refuse_damaged(const std::string& found, const std::string& expected) {
    throw FileRefused{{"plugin/truncated",
                       "the library is cut off or damaged",
                       found,
                       expected,
                       "every part a library announces lies within its file",
                       "copy or build the plugin again"}};
}

ByteSource ByteSource::from_memory(std::string_view bytes) {
    return {bytes.size(), [bytes](std::uint64_t offset, void* target, std::size_t size) {
                std::memcpy(target, bytes.data() + offset, size);
                return true;
            }};
}

ByteSource ByteSource::from_file(const std::filesystem::path& file) {
    // Non-blocking: opening a pipe that is named like a library must not wait for a writer.
    const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) {
        refuse_unreadable(errno);
    }
    const std::shared_ptr<void> closer(nullptr, [opened](void*) { ::close(opened); });
    struct stat status{};
    if (::fstat(opened, &status) != 0) {
        refuse_unreadable(errno);
    }
    if (!S_ISREG(status.st_mode)) {
        refuse_not_elf("a folder, pipe or device");
    }
    return {static_cast<std::uint64_t>(status.st_size),
            [opened, closer](std::uint64_t offset, void* target, std::size_t size) {
                auto* at = static_cast<char*>(target);
                while (size != 0) {
                    const ssize_t got = ::pread(opened, at, size, static_cast<off_t>(offset));
                    if (got <= 0) {
                        return false;
                    }
                    at += got;
                    offset += static_cast<std::uint64_t>(got);
                    size -= static_cast<std::size_t>(got);
                }
                return true;
            }};
}

void ByteSource::read(std::uint64_t offset, void* target, std::size_t size) const {
    if (!contains(offset, size)) {
        refuse_damaged(std::to_string(size_bytes_) + " bytes",
                       std::to_string(size) + " bytes at byte " + std::to_string(offset));
    }
    if (size != 0 && !read_(offset, target, size)) {
        refuse_damaged("bytes that cannot be read", "a readable file");
    }
}

std::string ByteSource::read_text(std::uint64_t offset, std::size_t size) const {
    if (!contains(offset, size)) {
        refuse_damaged("a text that ends after the file", "whole texts");
    }
    std::string text(size, '\0');
    read(offset, text.data(), size);
    return text;
}

ElfFile::ElfFile(ByteSource source) : source_(std::move(source)) {
    const Elf64_Ehdr header = read_header(source_);
    segments_ = read_segments(source_, header);
    for (const Elf64_Phdr& segment : segments_) {
        if (matters(segment)) {
            check_segment(source_, segment);
        }
    }
    check_section_table(source_, header);
}

std::uint64_t ElfFile::offset_of(std::uint64_t address, std::uint64_t size) const {
    for (const Elf64_Phdr& segment : segments_) {
        // Segments were checked to lie in the file, so that the last sum cannot wrap.
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr <= segment.p_filesz &&
            size <= segment.p_filesz - (address - segment.p_vaddr)) {
            return segment.p_offset + (address - segment.p_vaddr);
        }
    }
    refuse_damaged("a table outside of the loaded parts",
                   "all within " + std::to_string(source_.size_bytes()) + " bytes");
}

}  // namespace topress::plugin
