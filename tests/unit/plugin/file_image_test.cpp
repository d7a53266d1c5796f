// Reading what the loader would do, from good, odd and cut libraries.
#include "plugin/file_image.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;

TEST_CASE("file image: a good plugin has one of each note and exports its entry") {
    const FileImage image = read_file_image(fixture("good"));
    CHECK(image.notes.metadata == 1);
    CHECK(image.notes.build == 1);
    CHECK_FALSE(image.linkage.has_text_relocations);
    CHECK_FALSE(image.linkage.has_executable_stack);
    CHECK(image.size_bytes > 1000);
    CHECK(image.linkage.exports == std::vector<std::string>{"topress_plugin_entry"});
    CHECK_FALSE(image.linkage.is_never_unloaded);
    CHECK(std::count(image.symbols.imports.begin(), image.symbols.imports.end(), "strcmp") == 1);
    CHECK(std::count(image.linkage.needed.begin(), image.linkage.needed.end(), "libc.so.6") == 1);
}

TEST_CASE("file image: start-up code of -ffast-math is among the local symbols") {
    const FileImage image = read_file_image(fixture("flush_to_zero"));
    CHECK(std::count(image.symbols.locals.begin(), image.symbols.locals.end(), "set_fast_math") ==
          1);
}

TEST_CASE("file image: a text file is refused") {
    try {
        static_cast<void>(read_file_image(fixture("not_elf")));
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == "plugin/not-elf");
    }
}

TEST_CASE("file image: a file cut anywhere is an error or readable, never a crash") {
    const std::string bytes = read_file(fixture("good"));
    const TemporaryFolder folder;
    int refused = 0;
    int tried = 0;
    for (std::size_t size = 0; size < bytes.size(); size += bytes.size() / 97 + 1) {
        ++tried;
        const auto path = folder.path() / "cut.so";
        write_file_atomically(path, std::string_view(bytes).substr(0, size));
        try {
            static_cast<void>(read_file_image(path));
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
