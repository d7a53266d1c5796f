// How a plugin was linked: what the reader sees in real files, and which gate refuses what.
#include "plugin/linkage_gate.hpp"
#include "plugin/note.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace topress::plugin;
using topress::plugin::test::fixture;
using topress::plugin::test::note_of;

namespace {

Linkage linkage_of(const std::string& name) {
    const NoteReading reading = read_notes(fixture(name));
    REQUIRE(reading.notes.has_value());
    return reading.notes->linkage;
}

// The code with which a good plugin is refused after a change.
template <class Change>
std::string code_after(Change change, const std::vector<std::string>& namespaces = {}) {
    Linkage linkage = linkage_of("good");
    change(linkage);
    const auto refusal = check_linkage(linkage, namespaces);
    if (refusal) {
        CHECK_FALSE(refusal->found.empty());
        CHECK_FALSE(refusal->expected.empty());
        CHECK_FALSE(refusal->hint.empty());
    }
    return refusal ? refusal->code : "";
}

}  // namespace

TEST_CASE("linkage: a good plugin exports its entry, whose first fields are read from the file") {
    const Linkage linkage = linkage_of("good");
    CHECK(linkage.exports == std::vector<std::string>{TOPRESS_ENTRY_SYMBOL});
    REQUIRE(linkage.entry.has_value());
    CHECK(linkage.entry->is_object);
    CHECK(linkage.entry->symbol_size_bytes == sizeof(topress_entry));
    CHECK(linkage.entry->magic == TOPRESS_ENTRY_MAGIC);
    CHECK(linkage.entry->struct_size == sizeof(topress_entry));
    CHECK(linkage.entry->abi_major == TOPRESS_ABI_MAJOR);
    CHECK(linkage.search_paths.empty());
    CHECK_FALSE(linkage.is_program);
    CHECK_FALSE(linkage.has_executable_stack);
    CHECK_FALSE(linkage.has_text_relocations);
    CHECK_FALSE(linkage.has_writable_code);
    CHECK_FALSE(linkage.imports_cxx);
    const auto is_c_library = [](const std::string& name) { return name.starts_with("libc.so"); };
    CHECK(std::any_of(linkage.needed.begin(), linkage.needed.end(), is_c_library));
    CHECK_FALSE(check_linkage(linkage, {}).has_value());
}

TEST_CASE("linkage: each gate refuses by its code") {
    CHECK(code_after([](Linkage&) {}).empty());
    CHECK(code_after([](Linkage& l) { l.is_program = true; }) == "plugin/not-elf");
    CHECK(code_after([](Linkage& l) { l.entry.reset(); }) == "plugin/missing-symbol");
    CHECK(code_after([](Linkage& l) { l.entry->is_object = false; }) == "plugin/bad-entry");
    CHECK(code_after([](Linkage& l) { l.entry->symbol_size_bytes = 8; }) == "plugin/bad-entry");
    CHECK(code_after([](Linkage& l) { l.entry->magic = 1; }) == "plugin/bad-entry");
    CHECK(code_after([](Linkage& l) { l.entry->struct_size = 16; }) == "plugin/bad-entry");
    CHECK(code_after([](Linkage& l) { l.entry->struct_size += 64; }).empty());
    CHECK(code_after([](Linkage& l) { l.exports.emplace_back("more"); }) == "plugin/extra-exports");
    CHECK(code_after([](Linkage& l) { l.has_executable_stack = true; }) == "plugin/unsafe-memory");
    CHECK(code_after([](Linkage& l) { l.has_text_relocations = true; }) == "plugin/unsafe-memory");
    CHECK(code_after([](Linkage& l) { l.has_writable_code = true; }) == "plugin/unsafe-memory");
    CHECK(code_after([](Linkage& l) { l.needed.emplace_back("/opt/lib/libcudart.so.13"); }) ==
          "plugin/shared-cudart");
}

TEST_CASE("linkage: paths that start at the current folder are refused, others are not") {
    const auto path = [](const char* text) {
        return code_after([text](Linkage& l) { l.search_paths = {text}; });
    };
    CHECK(path("/opt/lib").empty());
    CHECK(path("$ORIGIN/../lib").empty());
    CHECK(path("${ORIGIN}").empty());
    CHECK(path("").empty());  // CMake's padding
    CHECK(path(".") == "plugin/unsafe-library-path");
    CHECK(path("lib") == "plugin/unsafe-library-path");
    const auto needed = [](const char* text) {
        return code_after([text](Linkage& l) { l.needed = {text}; });
    };
    CHECK(needed("libm.so.6").empty());
    CHECK(needed("/opt/libm.so.6").empty());
    CHECK(needed("./libm.so.6") == "plugin/unsafe-library-path");
    CHECK(needed("sub/libm.so.6") == "plugin/unsafe-library-path");
}

TEST_CASE("linkage: C++ of others needs the shared C++ runtime") {
    const auto code = [](bool imports_cxx, const char* needed) {
        return code_after([=](Linkage& l) {
            l.imports_cxx = imports_cxx;
            l.needed = {needed};
        });
    };
    CHECK(code(true, "libc10.so") == "plugin/static-runtime");
    CHECK(code(true, "libstdc++.so.6").empty());
    CHECK(code(true, "libc++.so.1").empty());
    CHECK(code(false, "libc.so.6").empty());
}

TEST_CASE("linkage: who registers operators says in which namespaces") {
    const auto registers = [](Linkage& l) { l.registers_operators = true; };
    CHECK(code_after(registers) == "plugin/undeclared-namespace");
    CHECK(code_after(registers, {"mine"}).empty());
}

TEST_CASE("linkage: many other exports are counted, not listed") {
    Linkage linkage = linkage_of("good");
    for (int i = 0; i < 10; ++i) {
        linkage.exports.push_back("symbol" + std::to_string(i));
    }
    CHECK(check_linkage(linkage, {})->found == "symbol0, symbol1, symbol2 and 7 more");
}
