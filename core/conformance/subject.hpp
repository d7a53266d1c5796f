// The plugin under test, read and loaded no further than a check asks for.
#pragma once

#include "plugin/catalog.hpp"
#include "plugin/file_image.hpp"
#include "plugin/library.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace topress::conformance {

/// One plugin file and the seed of everything random about it.
class Subject {
  public:
    Subject(const std::filesystem::path& file, std::uint64_t seed);
    ~Subject();
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    /// Absolute.
    [[nodiscard]] const std::filesystem::path& file() const { return file_; }

    [[nodiscard]] std::uint64_t seed() const { return seed_; }

    /// The decision of the gates.
    [[nodiscard]] const plugin::CatalogEntry& entry() const { return entry_; }

    /// Its techniques. Throws Error{plugin/bad-metadata} when the metadata cannot be read.
    [[nodiscard]] const std::vector<plugin::TechniqueMetadata>& techniques() const;

    /// Throws what plugin::read_file_image() throws.
    [[nodiscard]] const plugin::FileImage& image() const;

    /// Opens the plugin over the observed host (host_observer.hpp), once. Throws what
    /// plugin::Library::load() throws.
    [[nodiscard]] const plugin::Library& library() const;

    /// The plugins beside the program, without this one.
    [[nodiscard]] const std::vector<plugin::CatalogEntry>& bundled() const;

    /// An empty folder of its own, removed with the subject.
    [[nodiscard]] const std::filesystem::path& scratch() const;

  private:
    std::filesystem::path file_;
    std::uint64_t seed_;
    plugin::CatalogEntry entry_;
    mutable std::optional<plugin::FileImage> image_;
    mutable std::optional<plugin::Library> library_;
    mutable std::optional<std::vector<plugin::CatalogEntry>> bundled_;
    mutable std::filesystem::path scratch_;
};

}  // namespace topress::conformance
