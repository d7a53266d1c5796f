// Files and mappings of decoded pictures.
#include "data/picture_store.hpp"

#include "base/log.hpp"

#include <ATen/ATen.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".pictures";
constexpr const char* kTemporarySuffix = ".tmp";
constexpr auto kUnusedAfter = std::chrono::hours(24 * 30);
constexpr auto kAbandonedAfter = std::chrono::hours(24);

std::uint64_t bytes_of(at::IntArrayRef sizes) {
    std::uint64_t bytes = 1;
    for (const std::int64_t size : sizes) {
        bytes *= static_cast<std::uint64_t>(size);
    }
    return bytes;
}

class File {
  public:
    explicit File(int descriptor) : descriptor_(descriptor) {}

    ~File() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }

    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    File(const File&) = delete;
    File& operator=(const File&) = delete;
    File& operator=(File&&) = delete;

    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

    [[nodiscard]] int get() const { return descriptor_; }

  private:
    int descriptor_;
};

/// A tensor whose memory is the file's. `sharing` is MAP_SHARED to write the file, or MAP_PRIVATE.
/// Nothing is reserved for pages that nobody writes: the file may be larger than memory.
std::optional<at::Tensor> map(const File& file, at::IntArrayRef sizes, int sharing) {
    const std::uint64_t bytes = bytes_of(sizes);
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, sharing | MAP_NORESERVE, file.get(), 0);
    if (memory == MAP_FAILED) {
        return std::nullopt;
    }
    return at::from_blob(
        memory, sizes, [bytes](void* mapped) { ::munmap(mapped, bytes); }, at::kByte);
}

/// The file of a user who alone may write it, whole.
std::optional<at::Tensor> map_existing(const fs::path& path, at::IntArrayRef sizes) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat facts{};
    if (!file.is_open() || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
        facts.st_uid != ::geteuid() || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
        static_cast<std::uint64_t>(facts.st_size) != bytes_of(sizes)) {
        return std::nullopt;
    }
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return map(file, sizes, MAP_PRIVATE);
}

/// A new file of that size, all of it there: a disk that is full must be found out now, not by a
/// signal when the memory is written. errno says why not.
File make_file(const fs::path& path, std::uint64_t bytes) {
    std::error_code ignored;
    fs::create_directories(path.parent_path().parent_path(), ignored);
    if (fs::create_directory(path.parent_path(), ignored)) {
        fs::permissions(path.parent_path(), fs::perms::owner_all, ignored);
    }
    File file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file.is_open()) {
        return file;
    }
    const int failed = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
    if (failed != 0) {
        ::unlink(path.c_str());
        errno = failed;
        return File(-1);
    }
    return file;
}

void tell_memory(const fs::path& folder) {
    const std::string reason = std::generic_category().message(errno);
    log::warn("large pictures stay in memory: no file in '" + folder.string() + "': " + reason +
              "; make room there, or raise data.map_above_gb");
}

void remove_unused(const fs::path& folder) {
    std::error_code failed;
    const auto now = fs::file_time_type::clock::now();
    for (fs::directory_iterator item(folder, failed), end; !failed && item != end;
         item.increment(failed)) {
        std::error_code gone;
        const auto age = now - item->last_write_time(gone);
        const fs::path ending = item->path().extension();
        if (!gone && ((ending == kSuffix && age > kUnusedAfter) ||
                      (ending == kTemporarySuffix && age > kAbandonedAfter))) {
            fs::remove(item->path(), gone);
        }
    }
}

fs::path temporary_name(const PictureStore& store, const std::string& key) {
    return store.folder / (key + "." + std::to_string(::getpid()) + kTemporarySuffix);
}

/// Removes a file that was not finished.
class Unfinished {
  public:
    explicit Unfinished(fs::path path) : path_(std::move(path)) {}

    ~Unfinished() {
        if (!path_.empty()) {
            ::unlink(path_.c_str());
        }
    }

    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    Unfinished(Unfinished&&) = delete;
    Unfinished& operator=(Unfinished&&) = delete;

    void finish_as(const fs::path& name) {
        if (::rename(path_.c_str(), name.c_str()) == 0) {
            path_.clear();
        }
    }

  private:
    fs::path path_;
};

at::Tensor in_memory(at::IntArrayRef sizes, const FillPictures& fill) {
    at::Tensor pictures = at::empty(sizes, at::kByte);
    fill(pictures.mutable_data_ptr<std::uint8_t>());
    return pictures;
}

}  // namespace

at::Tensor stored_pictures(const PictureStore& store,
                           const std::string& key,
                           at::IntArrayRef sizes,
                           const FillPictures& fill) {
    if (!store.takes(bytes_of(sizes))) {
        return in_memory(sizes, fill);
    }
    const fs::path name = store.folder / (key + kSuffix);
    if (const auto known = map_existing(name, sizes)) {
        return *known;
    }
    const fs::path temporary = temporary_name(store, key);
    const File file = make_file(temporary, bytes_of(sizes));
    Unfinished unfinished(file.is_open() ? temporary : fs::path());
    const auto pictures = file.is_open() ? map(file, sizes, MAP_SHARED) : std::nullopt;
    if (!pictures) {
        tell_memory(store.folder);
        return in_memory(sizes, fill);
    }
    fill(pictures->mutable_data_ptr<std::uint8_t>());
    remove_unused(store.folder);
    if (::fdatasync(file.get()) == 0) {  // never a name for what a crash could take away
        unfinished.finish_as(name);
    }
    return map(file, sizes, MAP_PRIVATE).value_or(*pictures);
}

at::Tensor passing_pictures(const PictureStore& store, at::IntArrayRef sizes) {
    if (!store.takes(bytes_of(sizes))) {
        return at::empty(sizes, at::kByte);
    }
    const fs::path temporary = temporary_name(store, "passing");
    const File file = make_file(temporary, bytes_of(sizes));
    const auto pictures = file.is_open() ? map(file, sizes, MAP_SHARED) : std::nullopt;
    if (file.is_open()) {
        ::unlink(temporary.c_str());
    }
    if (!pictures) {
        tell_memory(store.folder);
        return at::empty(sizes, at::kByte);
    }
    return *pictures;
}

}  // namespace topress::data
