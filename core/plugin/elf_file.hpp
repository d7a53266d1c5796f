// The base of every reader of plugin files: bytes, ELF header, program headers, addresses. Bounded.
#pragma once

#include "plugin/refusal.hpp"

#include <cstdint>
#include <elf.h>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::plugin {

/// Ends the reading of one file. Caught where the reading began, never seen by callers of it.
struct FileRefused {
    Refusal refusal;
};

/// Throws: FileRefused{plugin/truncated}.
[[noreturn]] void refuse_damaged(const std::string& found, const std::string& expected);

/// Where bytes come from: memory or a file. Copies share it.
class ByteSource {
  public:
    /// Borrows `bytes`.
    [[nodiscard]] static ByteSource from_memory(std::string_view bytes);
    /// Throws: FileRefused{plugin/cannot-load} (not readable), {plugin/not-elf} (no regular file:
    /// a pipe is not waited for).
    [[nodiscard]] static ByteSource from_file(const std::filesystem::path& file);

    [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

    /// Neither the addition nor the comparison wraps.
    [[nodiscard]] bool contains(std::uint64_t offset, std::uint64_t size) const {
        return offset <= size_bytes_ && size <= size_bytes_ - offset;
    }

    /// Throws: FileRefused{plugin/truncated} outside of the file, or when it shrinks meanwhile.
    void read(std::uint64_t offset, void* target, std::size_t size) const;
    [[nodiscard]] std::string read_text(std::uint64_t offset, std::size_t size) const;

    template <class T>
    [[nodiscard]] T read_object(std::uint64_t offset) const {
        T object{};
        read(offset, &object, sizeof(T));
        return object;
    }

    /// Requires: the caller bounded `count`; nothing is allocated before the range is known to lie
    /// in the file.
    template <class T>
    [[nodiscard]] std::vector<T> read_array(std::uint64_t offset, std::uint64_t count) const {
        if (count > size_bytes_ / sizeof(T) || !contains(offset, count * sizeof(T))) {
            refuse_damaged("a table that ends after the file", "whole tables");
        }
        std::vector<T> objects(count);
        read(offset, objects.data(), count * sizeof(T));
        return objects;
    }

  private:
    using Read = std::function<bool(std::uint64_t offset, void* target, std::size_t size)>;

    ByteSource(std::uint64_t size_bytes, Read read)
        : size_bytes_(size_bytes), read_(std::move(read)) {}

    std::uint64_t size_bytes_;
    Read read_;
};

/// A shared library for this machine whose headers lie within its file.
class ElfFile {
  public:
    /// Throws: FileRefused{plugin/not-elf, plugin/wrong-architecture, plugin/truncated}.
    explicit ElfFile(ByteSource source);

    [[nodiscard]] const ByteSource& source() const { return source_; }

    [[nodiscard]] const std::vector<Elf64_Phdr>& segments() const { return segments_; }

    /// Where `size` bytes at a virtual address are in the file. Throws:
    /// FileRefused{plugin/truncated} when no loaded segment has them all.
    [[nodiscard]] std::uint64_t offset_of(std::uint64_t address, std::uint64_t size) const;

  private:
    ByteSource source_;
    std::vector<Elf64_Phdr> segments_;
};

}  // namespace topress::plugin
