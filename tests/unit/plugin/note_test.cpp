// The note reader: real files, damaged files, hostile files.
#include "plugin/note.hpp"

#include "base/files.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <elf.h>
#include <random>

using namespace topress;
using namespace topress::plugin;
using topress::plugin::test::fixture;

namespace {

constexpr int kMutations = 2000;

std::string good_bytes() {
    return read_file(fixture("good"));
}

std::string code_of(const std::string& bytes) {
    return parse_notes(bytes, "bytes").refusal.code;
}

template <class T>
T read_at(const std::string& bytes, std::size_t offset) {
    T value{};
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

template <class T>
void write_at(std::string& bytes, std::size_t offset, const T& value) {
    std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

// Offset in the file of the first program header of a type.
std::size_t program_header_at(const std::string& bytes, std::uint32_t type) {
    const auto header = read_at<Elf64_Ehdr>(bytes, 0);
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        const std::size_t at = header.e_phoff + i * sizeof(Elf64_Phdr);
        if (read_at<Elf64_Phdr>(bytes, at).p_type == type) {
            return at;
        }
    }
    FAIL("no such program header");
    return 0;
}

// Changes one program header of a good file.
template <class Change>
std::string with_program_header(std::uint32_t type, Change change) {
    std::string bytes = good_bytes();
    const std::size_t at = program_header_at(bytes, type);
    auto header = read_at<Elf64_Phdr>(bytes, at);
    change(header);
    write_at(bytes, at, header);
    return bytes;
}

template <class Change>
std::string with_header(Change change) {
    std::string bytes = good_bytes();
    auto header = read_at<Elf64_Ehdr>(bytes, 0);
    change(header);
    write_at(bytes, 0, header);
    return bytes;
}

// Changes the header of the metadata note.
template <class Change>
std::string with_note(Change change) {
    std::string bytes = good_bytes();
    const std::size_t content = bytes.find("schema = 1\n[plugin]");
    REQUIRE(content != std::string::npos);
    const std::size_t at = content - sizeof(Elf64_Nhdr) - sizeof(TOPRESS_NOTE_NAME);
    auto note = read_at<Elf64_Nhdr>(bytes, at);
    REQUIRE(note.n_type == TOPRESS_NOTE_TYPE);
    change(note);
    write_at(bytes, at, note);
    return bytes;
}

}  // namespace

TEST_CASE("note: a good plugin gives its metadata and its build") {
    const NoteReading reading = read_notes(fixture("good"));
    REQUIRE(reading.notes.has_value());
    CHECK(reading.notes->metadata.starts_with(
        "schema = 1\n[plugin]\nid = \"org.topress.fixture.good\""));
    CHECK(reading.notes->metadata.ends_with("only read.\"\n"));
    CHECK(reading.notes->abi.abi_major == TOPRESS_ABI_MAJOR);
    CHECK(reading.notes->abi.abi_minor == TOPRESS_ABI_MINOR);
    CHECK(std::string(reading.notes->abi.fingerprint.torch_version) == "0.0.0-fixture");
}

TEST_CASE("note: file and memory give the same") {
    const NoteReading from_file = read_notes(fixture("good"));
    const NoteReading from_memory = parse_notes(good_bytes(), "good");
    REQUIRE(from_memory.notes.has_value());
    CHECK(from_file.notes->metadata == from_memory.notes->metadata);
}

TEST_CASE("note: what is no library is plugin/not-elf") {
    CHECK(read_notes(fixture("not_elf")).refusal.code == "plugin/not-elf");
    CHECK(code_of("") == "plugin/not-elf");
    CHECK(code_of("\x7f"
                  "EL") == "plugin/not-elf");
    CHECK(code_of(std::string(1000, '\0')) == "plugin/not-elf");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_type = ET_REL; })) == "plugin/not-elf");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_type = ET_CORE; })) == "plugin/not-elf");
}

TEST_CASE("note: another kind of machine is plugin/wrong-architecture") {
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_machine = EM_RISCV; })) ==
          "plugin/wrong-architecture");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS32; })) ==
          "plugin/wrong-architecture");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; })) ==
          "plugin/wrong-architecture");
}

TEST_CASE("note: a library without one of the notes is plugin/no-note") {
    const Diagnostic no_metadata = read_notes(fixture("no_note")).refusal;
    CHECK(no_metadata.code == "plugin/no-note");
    CHECK(no_metadata.message == "the library is not a topress plugin");
    const Diagnostic no_build = read_notes(fixture("no_build_note")).refusal;
    CHECK(no_build.code == "plugin/no-note");
    CHECK(no_build.message == "the library does not say how it was built");
}

TEST_CASE("note: every cut of a good file is refused") {
    const std::string bytes = good_bytes();
    CHECK(read_notes(fixture("truncated")).refusal.code == "plugin/truncated");
    for (std::size_t size = 0; size < bytes.size(); size += 61) {
        CAPTURE(size);
        const std::string code = code_of(bytes.substr(0, size));
        CHECK(code == (size < 4 ? "plugin/not-elf" : "plugin/truncated"));
    }
    CHECK(code_of(bytes.substr(0, bytes.size() - 1)) == "plugin/truncated");
}

TEST_CASE("note: offsets and sizes that leave the file or wrap are plugin/truncated") {
    constexpr std::uint64_t kHuge = ~std::uint64_t{0};
    const auto code = [](std::uint32_t type, auto change) {
        return code_of(with_program_header(type, change));
    };
    CHECK(code(PT_LOAD, [](Elf64_Phdr& h) { h.p_offset = kHuge; }) == "plugin/truncated");
    CHECK(code(PT_LOAD, [](Elf64_Phdr& h) { h.p_filesz = h.p_memsz = kHuge; }) ==
          "plugin/truncated");
    CHECK(code(PT_LOAD, [](Elf64_Phdr& h) {
              h.p_offset = 16, h.p_filesz = h.p_memsz = kHuge - 8;
          }) == "plugin/truncated");
    CHECK(code(PT_LOAD, [](Elf64_Phdr& h) { h.p_memsz = h.p_filesz - 1; }) == "plugin/truncated");
    CHECK(code(PT_NOTE, [](Elf64_Phdr& h) { h.p_offset = kHuge - 4; }) == "plugin/truncated");
    CHECK(code(PT_DYNAMIC, [](Elf64_Phdr& h) { h.p_offset = kHuge; }) == "plugin/truncated");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_phoff = kHuge - 8; })) == "plugin/truncated");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_phnum = 0xFFFF; })) == "plugin/truncated");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_phnum = 0; })) == "plugin/truncated");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_phentsize = 1; })) == "plugin/truncated");
    CHECK(code_of(with_header([](Elf64_Ehdr& h) { h.e_shoff = kHuge; })) == "plugin/truncated");
}

TEST_CASE("note: a note whose sizes leave its segment is plugin/truncated") {
    CHECK(code_of(with_note([](Elf64_Nhdr& n) { n.n_descsz = 0xFFFFFFFF; })) == "plugin/truncated");
    CHECK(code_of(with_note([](Elf64_Nhdr& n) { n.n_namesz = 0xFFFFFFFF; })) == "plugin/truncated");
    CHECK(code_of(with_note([](Elf64_Nhdr& n) { n.n_type = 77; })) == "plugin/no-note");
}

TEST_CASE("note: metadata above one megabyte is refused unread") {
    std::string bytes = good_bytes();
    bytes.resize(bytes.size() + 3 * kMetadataLimitBytes, 'x');
    const std::size_t at = program_header_at(bytes, PT_NOTE);
    auto header = read_at<Elf64_Phdr>(bytes, at);
    header.p_filesz = header.p_memsz = 2 * kMetadataLimitBytes;
    write_at(bytes, at, header);
    CHECK(code_of(bytes) == "plugin/bad-metadata");
}

TEST_CASE("note: two different metadata notes in one library are plugin/bad-metadata") {
    // The second note segment of the copy lies behind the original file.
    std::string bytes = good_bytes();
    const std::size_t at = program_header_at(bytes, PT_NOTE);
    const auto notes = read_at<Elf64_Phdr>(bytes, at);
    std::string copy = bytes.substr(notes.p_offset, notes.p_filesz);
    const std::size_t id = copy.find("fixture.good");
    REQUIRE(id != std::string::npos);
    copy[id] = 'F';
    const std::size_t spare = program_header_at(bytes, PT_GNU_STACK);
    auto second = notes;
    second.p_offset = bytes.size();
    write_at(bytes, spare, second);
    bytes += copy;
    CHECK(code_of(bytes) == "plugin/bad-metadata");
}

TEST_CASE("note: mutated files never crash the reader, and it stays inside the file") {
    const std::string original = good_bytes();
    std::mt19937_64 generator(20240318);
    int refused = 0;
    for (int mutation = 0; mutation < kMutations; ++mutation) {
        CAPTURE(mutation);
        std::string bytes = original;
        // Headers and notes are where the damage matters: three of four changes go there.
        for (std::uint64_t change = 0; change < 1 + generator() % 8; ++change) {
            const std::size_t range = generator() % 4 == 0 ? bytes.size() : 1024;
            bytes[generator() % std::min(range, bytes.size())] = static_cast<char>(generator());
        }
        if (generator() % 4 == 0) {
            bytes.resize(generator() % (bytes.size() + 1));
        }
        bytes.shrink_to_fit();
        const NoteReading reading = parse_notes(bytes, "mutated");
        CHECK(reading.notes.has_value() == reading.refusal.code.empty());
        refused += reading.notes.has_value() ? 0 : 1;
    }
    // Most single-byte changes in the headers must be noticed, and some changes are harmless.
    CHECK(refused > kMutations / 4);
    CHECK(refused < kMutations);
}

TEST_CASE("note: a file that cannot be read is plugin/cannot-load") {
    CHECK(read_notes("no-such-folder/no-such-file.so").refusal.code == "plugin/cannot-load");
}
