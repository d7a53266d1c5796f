// A bounded reader of the dynamic section, symbol tables and notes of an ELF64 library.
// Source: System V ABI, chapters "Dynamic Section", "Symbol Table", "Note Section"; see elf(5).
#include "conformance/elf_image.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <topress/abi.h>

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <map>
#include <optional>
#include <string_view>

namespace topress::conformance {
namespace {

[[noreturn]] void throw_truncated(const std::string& what) {
    throw Error("plugin/truncated", what + " lies outside the file");
}

/// The bytes of a file with checked access.
class Bytes {
  public:
    explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] std::string_view part(std::uint64_t offset,
                                        std::uint64_t size,
                                        const char* what) const {
        if (offset > bytes_.size() || size > bytes_.size() - offset) {
            throw_truncated(what);
        }
        return bytes_.substr(offset, size);
    }

    template <class T>
    [[nodiscard]] T object(std::uint64_t offset, const char* what) const {
        T value{};
        std::memcpy(&value, part(offset, sizeof(T), what).data(), sizeof(T));
        return value;
    }

    /// The zero-terminated text at `offset`.
    [[nodiscard]] std::string text(std::uint64_t offset, const char* what) const {
        static_cast<void>(part(offset, 1, what));
        const std::string_view rest = bytes_.substr(offset);
        const std::size_t end = rest.find('\0');
        if (end == std::string_view::npos) {
            throw_truncated(what);
        }
        return std::string(rest.substr(0, end));
    }

  private:
    std::string_view bytes_;
};

class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {
        image_.size_bytes = bytes.size();
        header_ = bytes_.object<Elf64_Ehdr>(0, "the ELF header");
        for (std::uint64_t i = 0; i < header_.e_phnum; ++i) {
            programs_.push_back(bytes_.object<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr),
                                                          "a program header"));
        }
    }

    ElfImage read() {
        for (const Elf64_Phdr& program : programs_) {
            if (program.p_type == PT_GNU_STACK) {
                image_.has_executable_stack = (program.p_flags & PF_X) != 0;
            } else if (program.p_type == PT_NOTE) {
                read_notes(program);
            } else if (program.p_type == PT_DYNAMIC) {
                read_dynamic(program);
            }
        }
        read_local_symbols();
        return image_;
    }

  private:
    void read_notes(const Elf64_Phdr& program) {
        const std::uint64_t alignment = program.p_align == 8 ? 8 : 4;
        const auto up = [alignment](std::uint64_t value) {
            return (value + alignment - 1) / alignment * alignment;
        };
        const std::string_view ours(TOPRESS_NOTE_NAME, sizeof(TOPRESS_NOTE_NAME));
        std::uint64_t at = 0;
        while (at + sizeof(Elf64_Nhdr) <= program.p_filesz) {
            const auto note = bytes_.object<Elf64_Nhdr>(program.p_offset + at, "a note");
            const std::uint64_t name_at = at + sizeof note;
            if (bytes_.part(program.p_offset + name_at, note.n_namesz, "a note's name") == ours) {
                if (note.n_type == TOPRESS_NOTE_TYPE) {
                    ++image_.metadata_notes;
                    image_.metadata_bytes = note.n_descsz;
                } else if (note.n_type == TOPRESS_ABI_NOTE_TYPE) {
                    ++image_.build_notes;
                }
            }
            at = up(up(name_at + note.n_namesz) + note.n_descsz);
        }
    }

    [[nodiscard]] std::uint64_t offset_of(std::uint64_t address) const {
        for (const Elf64_Phdr& program : programs_) {
            if (program.p_type == PT_LOAD && address >= program.p_vaddr &&
                address - program.p_vaddr < program.p_filesz) {
                return address - program.p_vaddr + program.p_offset;
            }
        }
        throw_truncated("a table of the dynamic section");
    }

    void read_dynamic(const Elf64_Phdr& program) {
        std::multimap<std::int64_t, std::uint64_t> entries;
        for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= program.p_filesz;
             at += sizeof(Elf64_Dyn)) {
            const auto entry = bytes_.object<Elf64_Dyn>(program.p_offset + at, "a dynamic entry");
            if (entry.d_tag == DT_NULL) {
                break;
            }
            entries.emplace(entry.d_tag, entry.d_un.d_val);
        }
        const auto find = [&entries](std::int64_t tag) -> std::optional<std::uint64_t> {
            const auto found = entries.find(tag);
            return found == entries.end() ? std::nullopt : std::optional(found->second);
        };
        image_.has_text_relocations =
            entries.contains(DT_TEXTREL) || (find(DT_FLAGS).value_or(0) & DF_TEXTREL) != 0;
        image_.is_never_unloaded = (find(DT_FLAGS_1).value_or(0) & DF_1_NODELETE) != 0;
        const auto strings = find(DT_STRTAB);
        if (!strings) {
            return;
        }
        const std::uint64_t texts = offset_of(*strings);
        for (auto [entry, end] = entries.equal_range(DT_NEEDED); entry != end; ++entry) {
            image_.needed.push_back(bytes_.text(texts + entry->second, "a library's name"));
        }
        for (const std::int64_t tag : {std::int64_t{DT_RUNPATH}, std::int64_t{DT_RPATH}}) {
            if (const auto path = find(tag)) {
                split_search_path(bytes_.text(texts + *path, "the search path"));
            }
        }
        if (const auto symbols = find(DT_SYMTAB)) {
            read_dynamic_symbols(offset_of(*symbols), texts);
        }
    }

    void split_search_path(const std::string& text) {
        std::size_t start = 0;
        while (start <= text.size()) {
            const std::size_t end = std::min(text.find(':', start), text.size());
            image_.search_path.push_back(text.substr(start, end - start));
            start = end + 1;
        }
    }

    /// The dynamic section does not tell how many symbols there are: the section table does, and
    /// without one, linkers put the texts directly behind the symbols.
    [[nodiscard]] std::uint64_t count_symbols(std::uint64_t symbols, std::uint64_t texts) const {
        for (const Elf64_Shdr& section : sections()) {
            if (section.sh_type == SHT_DYNSYM) {
                return section.sh_size / sizeof(Elf64_Sym);
            }
        }
        return texts > symbols ? (texts - symbols) / sizeof(Elf64_Sym) : 0;
    }

    void read_dynamic_symbols(std::uint64_t symbols, std::uint64_t texts) {
        const std::uint64_t count = count_symbols(symbols, texts);
        for (std::uint64_t i = 1; i < count; ++i) {
            const auto symbol =
                bytes_.object<Elf64_Sym>(symbols + i * sizeof(Elf64_Sym), "a dynamic symbol");
            ElfSymbol found;
            found.name = bytes_.text(texts + symbol.st_name, "the name of a symbol");
            found.is_defined = symbol.st_shndx != SHN_UNDEF;
            found.is_weak = ELF64_ST_BIND(symbol.st_info) == STB_WEAK;
            found.is_local = ELF64_ST_BIND(symbol.st_info) == STB_LOCAL;
            image_.dynamic_symbols.push_back(std::move(found));
        }
    }

    [[nodiscard]] std::vector<Elf64_Shdr> sections() const {
        std::vector<Elf64_Shdr> found;
        for (std::uint64_t i = 0; i < header_.e_shnum; ++i) {
            found.push_back(bytes_.object<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr),
                                                      "a section header"));
        }
        return found;
    }

    void read_local_symbols() {
        const std::vector<Elf64_Shdr> all = sections();
        for (const Elf64_Shdr& section : all) {
            if (section.sh_type != SHT_SYMTAB || section.sh_link >= all.size()) {
                continue;
            }
            const std::uint64_t texts = all[section.sh_link].sh_offset;
            for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size;
                 at += sizeof(Elf64_Sym)) {
                const auto symbol = bytes_.object<Elf64_Sym>(section.sh_offset + at, "a symbol");
                image_.local_symbols.push_back(
                    bytes_.text(texts + symbol.st_name, "the name of a symbol"));
            }
        }
    }

    Bytes bytes_;
    Elf64_Ehdr header_{};
    std::vector<Elf64_Phdr> programs_;
    ElfImage image_;
};

}  // namespace

ElfImage read_elf_image(const std::filesystem::path& file) {
    const std::string bytes = read_file(file);
    if (bytes.size() < SELFMAG || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0 ||
        bytes.size() < EI_NIDENT || bytes[EI_CLASS] != ELFCLASS64 ||
        bytes[EI_DATA] != ELFDATA2LSB) {
        throw Error("plugin/not-elf", "the file is no 64 bit ELF library");
    }
    return Reader(bytes).read();
}

}  // namespace topress::conformance
