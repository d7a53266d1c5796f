// One holder at a time, among all programs: an advisory lock on a file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace topress {

/// Held while the object lives; free as soon as the holder ends, however it ends. The file exists
/// while the lock is held and holds the number of the holder's process.
class FileLock {
  public:
    /// Takes the lock, or nothing if somebody else holds it (another object of this process too).
    /// Throws: Error{file/cannot-write} when the file cannot be made or locked.
    [[nodiscard]] static std::optional<FileLock> take_if_free(const std::filesystem::path& file);

    ~FileLock();
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

  private:
    FileLock(std::filesystem::path file, int descriptor);
    void release() noexcept;

    std::filesystem::path file_;
    int descriptor_ = -1;
};

/// Process number of who holds the lock, as it wrote it; empty if it cannot be told.
[[nodiscard]] std::string lock_holder(const std::filesystem::path& file);

}  // namespace topress
