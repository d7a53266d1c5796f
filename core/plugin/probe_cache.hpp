// Remembered verdicts of probes, by the content of the file and the host. Any trouble with the
// cache means: nothing is remembered.
#pragma once

#include "plugin/probe.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace topress::plugin {

/// One folder of small files, each written whole under a temporary name and renamed, so that
/// several programs can use it at once:
///   content-HASH.json   path, size, times and inode of a file -> hash of its content
///   verdict-HASH.json   hash of content and host -> what the probe found
class ProbeCache {
  public:
    /// A folder that others could write is not used.
    ProbeCache(std::filesystem::path folder, std::string build);

    /// Key of what the file holds now, for find() and store(). A file whose size, times and inode
    /// are as remembered is not read. Throws: Error{file/cannot-read}.
    [[nodiscard]] std::string key_of(const std::filesystem::path& file) const;

    /// What the last probe of the file found, if that is known without reading the file.
    [[nodiscard]] std::optional<ProbeVerdict> find_known(const std::filesystem::path& file) const;

    [[nodiscard]] std::optional<ProbeVerdict> find(const std::string& key) const;
    void store(const std::string& key, const ProbeVerdict& verdict) const;

  private:
    [[nodiscard]] std::string remembered_hash(const std::filesystem::path& file,
                                              const std::string& stamp) const;
    [[nodiscard]] std::string content_hash(const std::filesystem::path& file) const;
    [[nodiscard]] std::string verdict_key(const std::string& content) const;
    void write(const std::string& name, const std::string& text) const;

    std::filesystem::path folder_;  ///< empty: nothing is remembered
    std::string build_;
};

/// A diagnostic as one line of JSON, and back (empty if it is none).
[[nodiscard]] std::string encode_refusal(const std::optional<Diagnostic>& refusal);
[[nodiscard]] std::optional<ProbeVerdict> decode_verdict(const std::string& text);

}  // namespace topress::plugin
