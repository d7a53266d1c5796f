// What the plugin tests share: fixture files, a made-up host, folders that vanish.
#pragma once

#include "fixtures/plugins/fingerprint.h"
#include "plugin/catalog.hpp"

#include <topress/abi.h>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <unistd.h>

namespace topress::plugin::test {

/// The build folder; a definition, so that the program can also be run without ctest.
inline std::filesystem::path binary_folder() {
    return TOPRESS_TEST_BINARY_FOLDER;
}

inline std::filesystem::path fixture(const std::string& name) {
    return binary_folder() / "fixtures/plugins" / (name + ".so");
}

/// The build the C fixtures claim to be from.
inline const topress_fingerprint& fixture_host_fingerprint() {
    static const topress_fingerprint kFingerprint = FIXTURE_FINGERPRINT;
    return kFingerprint;
}

inline const topress_host& fixture_host() {
    static const topress_host kHost = {sizeof(topress_host),
                                       TOPRESS_ABI_MAJOR,
                                       TOPRESS_ABI_MINOR,
                                       "test",
                                       [](const char*) -> const void* { return nullptr; }};
    return kHost;
}

/// A folder of its own for one test, removed at its end.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "topress-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }

    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Copies a fixture into this folder (made if need be) and returns the copy.
    std::filesystem::path take(const std::string& name, const std::string& as) const {
        const auto target = path_ / (as + ".so");
        std::filesystem::create_directories(target.parent_path());
        std::filesystem::copy_file(fixture(name), target);
        return target;
    }

  private:
    std::filesystem::path path_;
};

/// The text of the note "found: ..." of a refusal, or empty.
inline std::string note_of(const Diagnostic& refusal, const std::string& name) {
    for (const DiagnosticNote& note : refusal.notes) {
        if (note.message.starts_with(name + ": ")) {
            return note.message.substr(name.size() + 2);
        }
    }
    return {};
}

}  // namespace topress::plugin::test
