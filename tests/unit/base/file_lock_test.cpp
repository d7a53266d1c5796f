// Locks between holders, and after a holder that was killed.
#include "base/file_lock.hpp"

#include "base/error.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using topress::Error;
using topress::FileLock;

namespace {

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "topress-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }

    ~Folder() { std::filesystem::remove_all(path_); }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::filesystem::path file() const { return path_ / "a.lock"; }

  private:
    std::filesystem::path path_;
};

/// A child that takes the lock, says so, and waits to be killed.
pid_t start_holder(const std::filesystem::path& file) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = FileLock::take_if_free(file);
        const char answer = lock ? 'y' : 'n';
        static_cast<void>(::write(ready[1], &answer, 1));
        ::pause();
        ::_exit(0);
    }
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    REQUIRE(answer == 'y');
    ::close(ready[0]);
    ::close(ready[1]);
    return child;
}

}  // namespace

TEST_CASE("file lock: one holder at a time, and the file goes with it") {
    const Folder folder;
    {
        auto first = FileLock::take_if_free(folder.file());
        REQUIRE(first);
        CHECK(topress::lock_holder(folder.file()) == std::to_string(::getpid()));
        CHECK_FALSE(FileLock::take_if_free(folder.file()));
        const FileLock moved = std::move(*first);
        first.reset();
        CHECK_FALSE(FileLock::take_if_free(folder.file()));
    }
    CHECK_FALSE(std::filesystem::exists(folder.file()));
    CHECK(FileLock::take_if_free(folder.file()));
}

TEST_CASE("file lock: a killed holder leaves it free") {
    const Folder folder;
    const pid_t child = start_holder(folder.file());
    CHECK_FALSE(FileLock::take_if_free(folder.file()));
    CHECK(topress::lock_holder(folder.file()) == std::to_string(child));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(std::filesystem::exists(folder.file()));
    CHECK(FileLock::take_if_free(folder.file()));
}

TEST_CASE("file lock: a place that cannot have one is an error") {
    const Folder folder;
    std::ofstream(folder.file()) << "x";
    try {
        static_cast<void>(FileLock::take_if_free(folder.file() / "below"));
        FAIL("was taken");
    } catch (const Error& error) {
        CHECK(error.code() == "file/cannot-write");
    }
    CHECK(topress::lock_holder(folder.file()).empty());
}
