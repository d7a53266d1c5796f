// Facts about whole-file reads and atomic writes.
#include "base/files.hpp"

#include "base/error.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <future>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using topress::Error;
using topress::read_file;
using topress::require_writable;
using topress::write_file_atomically;

namespace {

std::string code_of_read(const std::filesystem::path& path, std::size_t limit_bytes = 1000) {
    try {
        static_cast<void>(read_file(path, limit_bytes));
    } catch (const Error& error) {
        return error.code();
    }
    return "none";
}

std::string code_of_write(const std::filesystem::path& path) {
    try {
        write_file_atomically(path, "x");
    } catch (const Error& error) {
        return error.code();
    }
    return "none";
}

std::ptrdiff_t count_entries(const TemporaryFolder& folder) {
    return std::distance(std::filesystem::directory_iterator(folder.path()), {});
}

}  // namespace

TEST_CASE("files: what is written is read") {
    const TemporaryFolder folder;
    const std::string bytes("a\0b\n\xff", 5);
    write_file_atomically(folder / "file", bytes);
    CHECK(read_file(folder / "file") == bytes);
    write_file_atomically(folder / "file", "");
    CHECK(read_file(folder / "file").empty());
    const std::string large(std::size_t{3} << 20, 'x');
    write_file_atomically(folder / "file", large);
    CHECK(read_file(folder / "file") == large);
    CHECK(count_entries(folder) == 1);
}

TEST_CASE("files: missing file and folder in place of a file cannot be read") {
    const TemporaryFolder folder;
    CHECK(code_of_read(folder / "absent") == "file/cannot-read");
    CHECK(code_of_read(folder.path()) == "file/cannot-read");
}

TEST_CASE("files: the limit is inclusive") {
    const TemporaryFolder folder;
    write_file_atomically(folder / "file", "12345");
    CHECK(read_file(folder / "file", 5) == "12345");
    CHECK(code_of_read(folder / "file", 4) == "file/too-large");
}

TEST_CASE("files: a failed write leaves no temporary file and the old content") {
    const TemporaryFolder folder;
    CHECK(code_of_write(folder / "absent/file") == "file/cannot-write");
    // A folder that is not empty cannot be replaced by rename: the last step fails.
    std::filesystem::create_directory(folder / "taken");
    write_file_atomically(folder / "taken/inner", "old");
    CHECK(code_of_write(folder / "taken") == "file/cannot-write");
    CHECK(read_file(folder / "taken/inner") == "old");
    CHECK(count_entries(folder) == 1);
}

TEST_CASE("files: a symbolic link stays a link and its target is written") {
    const TemporaryFolder folder;
    write_file_atomically(folder / "target", "old");
    std::filesystem::create_symlink("target", folder / "link");
    write_file_atomically(folder / "link", "new");
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(read_file(folder / "target") == "new");
}

TEST_CASE("files: that a write would fail is known before, and nothing is changed by asking") {
    const auto code_of_asking = [](const std::filesystem::path& path) -> std::string {
        try {
            require_writable(path);
        } catch (const Error& error) {
            return error.code();
        }
        return "none";
    };
    const TemporaryFolder folder;
    write_file_atomically(folder / "file", "old");
    CHECK(code_of_asking(folder / "file") == "none");
    CHECK(read_file(folder / "file") == "old");
    CHECK(code_of_asking(folder / "new") == "none");
    CHECK(count_entries(folder) == 1);
    CHECK(code_of_asking(folder / "absent/file") == "file/cannot-write");
    CHECK(code_of_asking(folder.path()) == "file/cannot-write");
    CHECK(code_of_asking("/dev/null") == "none");
}

TEST_CASE("files: a pipe is written to and not replaced") {
    const TemporaryFolder folder;
    const auto pipe = folder / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    auto reader = std::async(std::launch::async, [&] { return read_file(pipe); });
    write_file_atomically(pipe, "through");
    CHECK(reader.get() == "through");
    CHECK(std::filesystem::is_fifo(pipe));
}
