// flock(2): given up by the kernel when the last descriptor closes, so a killed holder leaves none.
#include "base/file_lock.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace topress {
namespace {

constexpr std::size_t kLongestNumber = 20;

[[noreturn]] void fail_to_lock(const std::filesystem::path& file, int error) {
    throw Error("file/cannot-write",
                "cannot lock '" + file.string() + "': " + std::generic_category().message(error),
                file.string(),
                "check that the folder exists, may be written and can lock files");
}

/// The last holder removes the file before it lets go: what was opened may be a file that no longer
/// has the name, and a lock on that keeps nobody out.
bool is_still_named(int descriptor, const std::filesystem::path& file) {
    struct stat opened{};
    struct stat named{};
    return ::fstat(descriptor, &opened) == 0 && ::stat(file.c_str(), &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

void write_holder(int descriptor) {
    const std::string text = std::to_string(::getpid());
    // Only for the reader of a log: a number that is missing there is no reason to fail.
    static_cast<void>(::ftruncate(descriptor, 0) == 0 &&
                      ::pwrite(descriptor, text.data(), text.size(), 0) > 0);
}

}  // namespace

std::optional<FileLock> FileLock::take_if_free(const std::filesystem::path& file) {
    while (true) {
        const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor < 0) {
            fail_to_lock(file, errno);
        }
        FileLock lock(file, descriptor);
        if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            lock.file_.clear();  // it is not ours to remove
            if (error == EINTR) {
                continue;
            }
            if (error == EWOULDBLOCK) {
                return std::nullopt;
            }
            fail_to_lock(file, error);
        }
        if (is_still_named(descriptor, file)) {
            write_holder(descriptor);
            return lock;
        }
        lock.file_.clear();
    }
}

FileLock::FileLock(std::filesystem::path file, int descriptor)
    : file_(std::move(file)), descriptor_(descriptor) {}

FileLock::FileLock(FileLock&& other) noexcept
    : file_(std::exchange(other.file_, {})), descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    if (this != &other) {
        release();
        file_ = std::exchange(other.file_, {});
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

FileLock::~FileLock() {
    release();
}

void FileLock::release() noexcept {
    if (descriptor_ >= 0) {
        if (!file_.empty()) {
            ::unlink(file_.c_str());
        }
        ::close(descriptor_);
        descriptor_ = -1;
    }
}

std::string lock_holder(const std::filesystem::path& file) {
    try {
        std::string text = read_file(file, 1024);
        const bool is_number = !text.empty() && text.size() <= kLongestNumber &&
                               std::all_of(text.begin(), text.end(), [](char letter) {
                                   return letter >= '0' && letter <= '9';
                               });
        return is_number ? text : std::string();
    } catch (const Error&) {
        return {};
    }
}

}  // namespace topress
