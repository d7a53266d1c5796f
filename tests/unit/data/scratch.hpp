// A folder that lives as long as one test case, and the writers of small data files.
#pragma once

#include "base/error.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace topress::data::test {

/// A fresh empty folder, removed with everything in it.
class Scratch {
  public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    Scratch(Scratch&&) = delete;
    Scratch& operator=(Scratch&&) = delete;

    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return folder_ / name;
    }

    [[nodiscard]] const std::filesystem::path& path() const { return folder_; }

    /// Writes a file below the folder, making sub-folders as needed.
    void write(const std::string& name, const std::string& bytes) const;
    /// The same, compressed.
    void write_gzip(const std::string& name, const std::string& bytes) const;

  private:
    std::filesystem::path folder_;
};

/// An idx file of unsigned bytes with these dimensions.
std::string idx_bytes(std::uint32_t magic,
                      const std::vector<std::uint32_t>& dimensions,
                      const std::string& contents);

/// A picture of one colour as JPEG or PNG; channels 1 = grey, 3 = RGB, 4 = RGB and opacity (PNG).
std::string jpeg_bytes(int width, int height, int channels, const std::vector<int>& colour);
std::string png_bytes(int width, int height, int channels, const std::vector<int>& colour);

/// The Error an action throws; a failed REQUIRE when it throws none.
Error error_of(const std::function<void()>& action);

}  // namespace topress::data::test
