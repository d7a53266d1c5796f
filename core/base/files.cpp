// Whole-file reads and atomic writes on POSIX.
#include "base/files.hpp"

#include "base/error.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace topress {

namespace {

namespace fs = std::filesystem;

// A file descriptor that is closed when it goes out of scope.
class Descriptor {
  public:
    explicit Descriptor(int value) : value_(value) {}

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;

    ~Descriptor() {
        if (value_ >= 0) {
            ::close(value_);
        }
    }

    [[nodiscard]] int get() const { return value_; }

    /// Closes now; the result of close() counts, since it may report a late write error.
    [[nodiscard]] bool close() { return ::close(std::exchange(value_, -1)) == 0; }

  private:
    int value_;
};

[[noreturn]] void fail_to_read(const fs::path& path, int error) {
    throw Error("file/cannot-read",
                "cannot read '" + path.string() + "': " + std::generic_category().message(error),
                path.string(),
                "check that the file exists and may be read");
}

[[noreturn]] void fail_to_write(const fs::path& path, int error) {
    throw Error("file/cannot-write",
                "cannot write '" + path.string() + "': " + std::generic_category().message(error),
                path.string(),
                "check that the folder exists, may be written and has space left");
}

void read_all(int descriptor, const fs::path& path, std::size_t limit_bytes, std::string& text) {
    constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
    std::size_t filled = text.size();
    while (true) {
        text.resize(filled + kChunkBytes);
        const ssize_t got = ::read(descriptor, text.data() + filled, kChunkBytes);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            fail_to_read(path, errno);
        }
        filled += static_cast<std::size_t>(got);
        text.resize(filled);
        if (got == 0) {
            return;
        }
        if (filled > limit_bytes) {
            throw Error(
                "file/too-large",
                "'" + path.string() + "' is larger than " + std::to_string(limit_bytes) + " bytes",
                path.string(),
                "check that this is the file you meant");
        }
    }
}

void write_all(int descriptor, const fs::path& path, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            fail_to_write(path, errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
}

fs::path temporary_name(const fs::path& path) {
    static std::atomic<unsigned> count{0};
    std::string name = ".";
    name.append(path.filename().string()).append(".").append(std::to_string(::getpid()));
    name.append("-").append(std::to_string(count++)).append(".tmp");
    return path.parent_path() / name;
}

// A name beside `target` that nobody else has; gone at the end unless it was renamed.
class TemporaryFile {
  public:
    explicit TemporaryFile(const fs::path& target) : name_(temporary_name(target)) {}

    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    TemporaryFile(TemporaryFile&&) = delete;
    TemporaryFile& operator=(TemporaryFile&&) = delete;

    ~TemporaryFile() { ::unlink(name_.c_str()); }

    [[nodiscard]] const fs::path& name() const { return name_; }

  private:
    fs::path name_;
};

// The rename is durable only once the folder is; a file system that cannot sync folders is let be.
void sync_folder(const fs::path& folder) {
    const Descriptor descriptor(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() >= 0) {
        ::fsync(descriptor.get());
    }
}

void write_and_sync(const fs::path& name,
                    const fs::path& shown,
                    int flags,
                    std::string_view bytes) {
    Descriptor descriptor(::open(name.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666));
    if (descriptor.get() < 0) {
        fail_to_write(shown, errno);
    }
    write_all(descriptor.get(), shown, bytes);
    const bool can_sync = (flags & O_CREAT) != 0;
    if (can_sync && ::fsync(descriptor.get()) != 0) {
        fail_to_write(shown, errno);
    }
    if (!descriptor.close()) {
        fail_to_write(shown, errno);
    }
}

// A pipe or a device such as /dev/stdout: renaming over it would destroy it.
bool is_stream(const fs::path& path) {
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

// What is to be replaced: a link stays one.
fs::path behind_link(const fs::path& path) {
    std::error_code ignored;
    const bool is_link = fs::is_symlink(fs::symlink_status(path, ignored));
    return is_link && fs::exists(path, ignored) ? fs::canonical(path, ignored) : path;
}

void replace(const fs::path& target, const fs::path& shown, std::string_view bytes) {
    const TemporaryFile temporary(target);
    write_and_sync(temporary.name(), shown, O_CREAT | O_EXCL, bytes);
    if (::rename(temporary.name().c_str(), target.c_str()) != 0) {
        fail_to_write(shown, errno);
    }
    sync_folder(target.parent_path());
}

}  // namespace

std::string read_file(const fs::path& path, std::size_t limit_bytes) {
    const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptor.get() < 0) {
        fail_to_read(path, errno);
    }
    struct stat facts{};
    std::string text;
    if (::fstat(descriptor.get(), &facts) == 0 && S_ISREG(facts.st_mode)) {
        const auto size_bytes = static_cast<std::size_t>(facts.st_size);
        if (size_bytes <= limit_bytes) {
            text.reserve(size_bytes + (std::size_t{1} << 20));  // room for the last, empty read
        }
    }
    read_all(descriptor.get(), path, limit_bytes, text);
    text.shrink_to_fit();
    return text;
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
    if (is_stream(path)) {
        write_and_sync(path, path, 0, bytes);
    } else {
        replace(behind_link(path), path, bytes);
    }
}

void require_writable(const fs::path& path) {
    if (is_stream(path)) {
        if (::access(path.c_str(), W_OK) != 0) {
            fail_to_write(path, errno);
        }
        return;
    }
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        fail_to_write(path, EISDIR);
    }
    write_and_sync(TemporaryFile(behind_link(path)).name(), path, O_CREAT | O_EXCL, {});
}

void create_output_folder(const std::filesystem::path& folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) {
        throw Error("file/cannot-write",
                    "cannot create the output directory: " + failed.message(),
                    folder.string(),
                    "choose another one with --output");
    }
}

}  // namespace topress
