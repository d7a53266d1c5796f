// Seeded damage to every table the readers of plugin files use: they must refuse or read, never
// crash. Under the address sanitizer a single byte beyond the file is an error.
#include "base/files.hpp"
#include "plugin/note.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <elf.h>
#include <memory>
#include <random>
#include <set>
#include <vector>

using namespace topress::plugin;

namespace {

constexpr int kMutations = 6000;
constexpr std::uint64_t kSeed = 20260714;

struct Range {
    std::size_t begin = 0;
    std::size_t size = 0;
};

// Header, program headers, notes, dynamic section, symbols, names, hash table, entry.
std::vector<Range> find_tables(const std::string& bytes) {
    Elf64_Ehdr header{};
    std::memcpy(&header, bytes.data(), sizeof(header));
    std::vector<Range> tables = {{0, sizeof(header)},
                                 {header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)}};
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr section{};
        std::memcpy(&section, bytes.data() + header.e_shoff + i * sizeof(section), sizeof(section));
        const std::set<Elf64_Word> kTypes = {
            SHT_NOTE, SHT_DYNAMIC, SHT_DYNSYM, SHT_GNU_HASH, SHT_STRTAB};
        if (kTypes.contains(section.sh_type)) {
            tables.push_back({section.sh_offset, section.sh_size});
        }
    }
    return tables;
}

class Damage {
  public:
    explicit Damage(const std::string& original)
        : original_(original), tables_(find_tables(original)) {}

    std::string next() {
        std::string bytes = original_;
        for (std::uint64_t i = 0; i < 1 + random_() % 6; ++i) {
            change(bytes);
        }
        if (random_() % 8 == 0) {
            bytes.resize(random_() % (bytes.size() + 1));
        }
        return bytes;
    }

  private:
    // A byte, or an eight-byte word with one of the values at which sums and comparisons break.
    void change(std::string& bytes) {
        const Range table = tables_[random_() % tables_.size()];
        const std::size_t at = table.begin + random_() % table.size;
        if (random_() % 2 == 0) {
            bytes[at] = static_cast<char>(random_());
            return;
        }
        const std::uint64_t kValues[] = {0,
                                         1,
                                         bytes.size(),
                                         bytes.size() - 1,
                                         0x7FFFFFFF,
                                         0xFFFFFFFF,
                                         ~std::uint64_t{0},
                                         ~std::uint64_t{0} - 7,
                                         std::uint64_t{1} << 63,
                                         random_()};
        const std::uint64_t value = kValues[random_() % std::size(kValues)];
        const std::size_t aligned = at / 8 * 8;
        std::memcpy(
            bytes.data() + aligned, &value, std::min<std::size_t>(8, bytes.size() - aligned));
    }

    const std::string& original_;
    std::vector<Range> tables_;
    std::mt19937_64 random_{kSeed};
};

// In a block of exactly this size, which the sanitizer watches.
NoteReading parse_exactly(const std::string& bytes) {
    const std::unique_ptr<char[]> block(new char[bytes.size()]);
    std::memcpy(block.get(), bytes.data(), bytes.size());
    return parse_notes({block.get(), bytes.size()}, "damaged");
}

}  // namespace

TEST_CASE("elf: damage to any table is refused or harmless, never fatal") {
    const std::string original = topress::read_file(test::fixture("good"));
    Damage damage(original);
    std::set<std::string> codes;
    int refused = 0;
    for (int mutation = 0; mutation < kMutations; ++mutation) {
        CAPTURE(mutation);
        const NoteReading reading = parse_exactly(damage.next());
        CHECK(reading.notes.has_value() == reading.refusal.code.empty());
        codes.insert(reading.refusal.code);
        refused += reading.notes.has_value() ? 0 : 1;
    }
    CHECK(refused > kMutations / 4);
    CHECK(refused < kMutations);
    // The damage reached every part of the readers.
    for (const char* code : {"plugin/truncated",
                             "plugin/not-elf",
                             "plugin/wrong-architecture",
                             "plugin/no-note",
                             "plugin/bad-note"}) {
        CAPTURE(code);
        CHECK(codes.contains(code));
    }
}

TEST_CASE("elf: every plugin of the tests is read, whole and cut at every 97th byte") {
    for (const char* name : {"good", "missing_symbol", "undefined_symbol", "flush_to_zero"}) {
        const std::string bytes = topress::read_file(test::fixture(name));
        CHECK(parse_exactly(bytes).notes.has_value());
        for (std::size_t size = 0; size < bytes.size(); size += 97) {
            CAPTURE(size);
            CHECK_FALSE(parse_exactly(bytes.substr(0, size)).notes.has_value());
        }
    }
}
