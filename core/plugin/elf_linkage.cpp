// A bounded reader of the dynamic section: needed libraries, search paths, symbols, flags.
// Source: System V ABI, chapter "Dynamic Linking"; GNU hash section as glibc's elf/dl-lookup.c
// reads it.
#include "plugin/elf_linkage.hpp"

#include <topress/abi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace topress::plugin {

namespace {

// Far above any real plugin: one with LibTorch has about 500 symbols in 50 KiB of names.
constexpr std::uint64_t kDynamicLimit = 4096;
constexpr std::uint64_t kSymbolLimit = std::uint64_t{1} << 18;
constexpr std::uint64_t kNamesLimitBytes = std::uint64_t{1} << 25;

// The entries that are looked at; lists in their order.
struct Dynamic {
    std::uint64_t names = 0;
    std::uint64_t names_size_bytes = 0;
    std::uint64_t symbols = 0;
    std::uint64_t hash = 0;
    std::uint64_t gnu_hash = 0;
    std::uint64_t flags = 0;
    std::uint64_t flags_1 = 0;
    bool has_text_relocations = false;
    std::vector<std::uint64_t> needed;
    std::vector<std::uint64_t> search_paths;
};

void take(const Elf64_Dyn& entry, Dynamic& dynamic) {
    const std::uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
        case DT_STRTAB:
            dynamic.names = value;
            break;
        case DT_STRSZ:
            dynamic.names_size_bytes = value;
            break;
        case DT_SYMTAB:
            dynamic.symbols = value;
            break;
        case DT_HASH:
            dynamic.hash = value;
            break;
        case DT_GNU_HASH:
            dynamic.gnu_hash = value;
            break;
        case DT_FLAGS:
            dynamic.flags = value;
            break;
        case DT_FLAGS_1:
            dynamic.flags_1 = value;
            break;
        case DT_TEXTREL:
            dynamic.has_text_relocations = true;
            break;
        case DT_NEEDED:
            dynamic.needed.push_back(value);
            break;
        case DT_RPATH:
        case DT_RUNPATH:
            dynamic.search_paths.push_back(value);
            break;
        default:
            break;
    }
}

Dynamic read_dynamic(const ElfFile& file) {
    const auto& segments = file.segments();
    const auto found = std::find_if(segments.begin(), segments.end(), [](const auto& segment) {
        return segment.p_type == PT_DYNAMIC;
    });
    if (found == segments.end() || found->p_filesz / sizeof(Elf64_Dyn) > kDynamicLimit) {
        refuse_damaged(found == segments.end() ? "no dynamic section" : "a huge dynamic section",
                       "one of at most " + std::to_string(kDynamicLimit) + " entries");
    }
    Dynamic dynamic;
    for (const Elf64_Dyn& entry : file.source().read_array<Elf64_Dyn>(
             found->p_offset, found->p_filesz / sizeof(Elf64_Dyn))) {
        if (entry.d_tag == DT_NULL) {
            break;
        }
        take(entry, dynamic);
    }
    return dynamic;
}

// The names of symbols and libraries.
class Names {
  public:
    Names(const ElfFile& file, const Dynamic& dynamic) {
        if (dynamic.names_size_bytes != 0) {
            check_size(dynamic.names_size_bytes);
            read(file,
                 file.offset_of(dynamic.names, dynamic.names_size_bytes),
                 dynamic.names_size_bytes);
        }
    }

    // Those of a section, which is not loaded.
    Names(const ElfFile& file, std::uint64_t offset, std::uint64_t size) {
        check_size(size);
        read(file, offset, size);
    }

    [[nodiscard]] std::string_view at(std::uint64_t offset) const {
        const std::size_t end = offset < text_.size() ? text_.find('\0', offset) : text_.npos;
        if (end == text_.npos) {
            refuse_damaged("a name outside of the names", "names that end within them");
        }
        return std::string_view(text_).substr(offset, end - offset);
    }

  private:
    static void check_size(std::uint64_t size) {
        if (size > kNamesLimitBytes) {
            refuse_damaged(std::to_string(size) + " bytes of names",
                           "at most " + std::to_string(kNamesLimitBytes));
        }
    }

    void read(const ElfFile& file, std::uint64_t offset, std::uint64_t size) {
        text_ = file.source().read_text(offset, size);
    }

    std::string text_;
};

// ---- symbols ------------------------------------------------------------------------------------

void check_count(std::uint64_t count) {
    if (count > kSymbolLimit) {
        refuse_damaged("a table of " + std::to_string(count) + " symbols",
                       "at most " + std::to_string(kSymbolLimit));
    }
}

// The GNU table does not say how many symbols there are: the last chain ends at the last one.
std::uint64_t count_by_gnu_hash(const ElfFile& file, std::uint64_t table) {
    struct Header {
        std::uint32_t buckets, first_symbol, bloom_words, shift;
    };

    const auto& source = file.source();
    const auto header = source.read_object<Header>(file.offset_of(table, sizeof(Header)));
    check_count(header.buckets);
    check_count(header.bloom_words);
    check_count(header.first_symbol);
    const std::uint64_t buckets_at = table + sizeof(Header) + std::uint64_t{header.bloom_words} * 8;
    const std::uint64_t chains_at = buckets_at + std::uint64_t{header.buckets} * 4;
    const auto buckets = source.read_array<std::uint32_t>(
        file.offset_of(buckets_at, std::uint64_t{header.buckets} * 4), header.buckets);
    std::uint64_t symbol = 0;
    for (const std::uint32_t bucket : buckets) {
        symbol = std::max<std::uint64_t>(symbol, bucket);
    }
    if (symbol < header.first_symbol) {
        return header.first_symbol;
    }
    for (;; ++symbol) {
        check_count(symbol);
        const std::uint64_t at = chains_at + (symbol - header.first_symbol) * 4;
        if ((source.read_object<std::uint32_t>(file.offset_of(at, 4)) & 1U) != 0) {
            return symbol + 1;
        }
    }
}

std::uint64_t count_symbols(const ElfFile& file, const Dynamic& dynamic) {
    if (dynamic.symbols == 0) {
        return 0;
    }
    if (dynamic.hash != 0) {
        const std::uint64_t at = file.offset_of(dynamic.hash, 8);
        return file.source().read_object<std::uint32_t>(at + 4);
    }
    return dynamic.gnu_hash == 0 ? 0 : count_by_gnu_hash(file, dynamic.gnu_hash);
}

std::vector<Elf64_Sym> read_symbols(const ElfFile& file, const Dynamic& dynamic) {
    const std::uint64_t count = count_symbols(file, dynamic);
    check_count(count);
    if (count == 0) {
        return {};
    }
    const std::uint64_t at = file.offset_of(dynamic.symbols, count * sizeof(Elf64_Sym));
    return file.source().read_array<Elf64_Sym>(at, count);
}

bool is_visible(const Elf64_Sym& symbol) {
    const auto binding = ELF64_ST_BIND(symbol.st_info);
    const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    return (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

// Nobody's choice, and they clash with nothing.
bool is_mark_of_tools(std::string_view name) {
    constexpr std::array<std::string_view, 6> kMarks = {
        "", "_init", "_fini", "_end", "_edata", "__bss_start"};
    return name.starts_with("__odr_asan") ||
           std::find(kMarks.begin(), kMarks.end(), name) != kMarks.end();
}

EntryImage read_entry(const ElfFile& file, const Elf64_Sym& symbol) {
    EntryImage entry;
    entry.is_object = ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT;
    entry.symbol_size_bytes = symbol.st_size;
    if (entry.is_object && symbol.st_size >= sizeof(topress_entry)) {
        const std::uint64_t at = file.offset_of(symbol.st_value, sizeof(topress_entry));
        const auto image = file.source().read_object<topress_entry>(at);
        entry.magic = image.magic;
        entry.struct_size = image.struct_size;
        entry.abi_major = image.abi_major;
        entry.abi_minor = image.abi_minor;
    }
    return entry;
}

void take_symbol(const ElfFile& file,
                 const Elf64_Sym& symbol,
                 std::string_view name,
                 Linkage& linkage) {
    if (symbol.st_shndx == SHN_UNDEF) {
        linkage.imports_cxx |= name.starts_with("_Z");
        linkage.registers_operators |= name.starts_with("_ZN5torch7LibraryC");
    } else if (is_visible(symbol) && !is_mark_of_tools(name)) {
        linkage.exports.emplace_back(name);
        if (name == TOPRESS_ENTRY_SYMBOL) {
            linkage.entry = read_entry(file, symbol);
        }
    }
}

// ---- the rest -----------------------------------------------------------------------------------

// "a:b" is two folders, "a:" too: the loader takes the empty one for the current folder.
void split_paths(std::string_view list, std::vector<std::string>& parts) {
    while (true) {
        const std::size_t colon = list.find(':');
        parts.emplace_back(list.substr(0, colon));
        if (colon == std::string_view::npos) {
            return;
        }
        list = list.substr(colon + 1);
    }
}

void take_segments(const ElfFile& file, Linkage& linkage) {
    // Without the header the loader makes the stack executable.
    linkage.has_executable_stack = true;
    for (const Elf64_Phdr& segment : file.segments()) {
        if (segment.p_type == PT_GNU_STACK) {
            linkage.has_executable_stack = (segment.p_flags & PF_X) != 0;
        } else if (segment.p_type == PT_LOAD) {
            constexpr Elf64_Word kBoth = PF_W | PF_X;
            linkage.has_writable_code |= (segment.p_flags & kBoth) == kBoth;
        }
    }
}

// .symtab is not loaded: it is found through the section table, whose place ElfFile checked.
void take_local_symbols(const ElfFile& file, std::vector<std::string>& locals) {
    const ByteSource& source = file.source();
    const auto header = source.read_object<Elf64_Ehdr>(0);
    if (header.e_shoff == 0) {
        return;
    }
    const auto sections = source.read_array<Elf64_Shdr>(header.e_shoff, header.e_shnum);
    for (const Elf64_Shdr& section : sections) {
        if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) {
            continue;
        }
        const Elf64_Shdr& texts = sections[section.sh_link];
        check_count(section.sh_size / sizeof(Elf64_Sym));
        const Names names(file, texts.sh_offset, texts.sh_size);
        for (const Elf64_Sym& symbol :
             source.read_array<Elf64_Sym>(section.sh_offset, section.sh_size / sizeof(Elf64_Sym))) {
            locals.emplace_back(names.at(symbol.st_name));
        }
    }
}

}  // namespace

SymbolNames read_symbol_names(const ElfFile& file) {
    const Dynamic dynamic = read_dynamic(file);
    const Names names(file, dynamic);
    SymbolNames found;
    for (const Elf64_Sym& symbol : read_symbols(file, dynamic)) {
        const std::string_view name = names.at(symbol.st_name);
        if (symbol.st_shndx == SHN_UNDEF && !name.empty()) {
            const bool is_weak = ELF64_ST_BIND(symbol.st_info) == STB_WEAK;
            (is_weak ? found.weak_imports : found.imports).emplace_back(name);
        }
    }
    take_local_symbols(file, found.locals);
    return found;
}

Linkage read_linkage(const ElfFile& file) {
    const Dynamic dynamic = read_dynamic(file);
    const Names names(file, dynamic);
    Linkage linkage;
    for (const std::uint64_t name : dynamic.needed) {
        linkage.needed.emplace_back(names.at(name));
    }
    for (const std::uint64_t list : dynamic.search_paths) {
        split_paths(names.at(list), linkage.search_paths);
    }
    for (const Elf64_Sym& symbol : read_symbols(file, dynamic)) {
        take_symbol(file, symbol, names.at(symbol.st_name), linkage);
    }
    std::sort(linkage.exports.begin(), linkage.exports.end());
    linkage.is_program = (dynamic.flags_1 & DF_1_PIE) != 0;
    linkage.is_never_unloaded = (dynamic.flags_1 & DF_1_NODELETE) != 0;
    linkage.has_text_relocations =
        dynamic.has_text_relocations || (dynamic.flags & DF_TEXTREL) != 0;
    take_segments(file, linkage);
    return linkage;
}

}  // namespace topress::plugin
