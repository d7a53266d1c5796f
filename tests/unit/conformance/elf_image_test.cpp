// Reading what the loader would do, from good, odd and cut libraries.
#include "conformance/elf_image.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "unit/base/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace topress::conformance {
namespace {

std::string fixture(const std::string& name) {
    return std::string(TOPRESS_TEST_BINARY_FOLDER) + "/fixtures/plugins/" + name + ".so";
}

TEST_CASE("elf image: a good plugin has one of each note and exports its entry") {
    const ElfImage image = read_elf_image(fixture("good"));
    CHECK(image.metadata_notes == 1);
    CHECK(image.build_notes == 1);
    CHECK_FALSE(image.has_text_relocations);
    CHECK_FALSE(image.has_executable_stack);
    CHECK(image.size_bytes > 1000);
    CHECK(std::any_of(
        image.dynamic_symbols.begin(), image.dynamic_symbols.end(), [](const ElfSymbol& symbol) {
            return symbol.name == "topress_plugin_entry" && symbol.is_defined;
        }));
    CHECK(std::count(image.needed.begin(), image.needed.end(), "libc.so.6") == 1);
}

TEST_CASE("elf image: start-up code of -ffast-math is among the local symbols") {
    const ElfImage image = read_elf_image(fixture("flush_to_zero"));
    CHECK(std::count(image.local_symbols.begin(), image.local_symbols.end(), "set_fast_math") == 1);
}

TEST_CASE("elf image: a text file is refused") {
    try {
        static_cast<void>(read_elf_image(fixture("not_elf")));
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == "plugin/not-elf");
    }
}

TEST_CASE("elf image: a file cut anywhere is an error or readable, never a crash") {
    const std::string bytes = read_file(fixture("good"));
    const TemporaryFolder folder;
    int refused = 0;
    int tried = 0;
    for (std::size_t size = 0; size < bytes.size(); size += bytes.size() / 97 + 1) {
        ++tried;
        const auto path = folder.path() / "cut.so";
        write_file_atomically(path, std::string_view(bytes).substr(0, size));
        try {
            static_cast<void>(read_elf_image(path));
        } catch (const Error& error) {
            ++refused;
            const bool is_expected =
                error.code() == "plugin/truncated" || error.code() == "plugin/not-elf";
            CHECK(is_expected);
        }
    }
    CHECK(tried > 90);
    CHECK(refused > tried / 2);
}

}  // namespace
}  // namespace topress::conformance
