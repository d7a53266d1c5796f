// One entry of the stage cache as bytes: vouched for by a hash over all of it.
#pragma once

#include "pipeline/checkpoint.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace topress::pipeline {

/// A file that the technique left for the user.
struct Artefact {
    std::string name;  ///< relative to the stage's folder, with slashes
    std::string bytes;
};

/// A finished stage with everything that a run which computes it has at its end.
struct CacheEntry {
    std::string key;
    double created = 0;   ///< seconds since 1970
    std::string program;  ///< version of topress that computed it
    Checkpoint stage;
    std::vector<Artefact> artefacts;
};

/// First line "topress-stage 1 HASH", then what the hash is of: a line of JSON, the network, the
/// artefacts.
[[nodiscard]] std::string to_bytes(const CacheEntry& entry);

/// Throws: Error{cache/damaged} for anything but the bytes of an entry with this key.
[[nodiscard]] CacheEntry cache_entry_from_bytes(const std::string& bytes, const std::string& key);

/// What a listing shows, from the first two lines of a file; the rest is neither read nor checked.
struct CacheEntryHead {
    double created = 0;
    std::string program;
    Row row;
};

/// None if the file is no entry.
[[nodiscard]] std::optional<CacheEntryHead> read_head(const std::filesystem::path& file);

/// The files of a stage's folder, by name; links are passed over. Empty if there is no such folder.
/// Throws: Error{file/cannot-read}, std::filesystem::filesystem_error.
[[nodiscard]] std::vector<Artefact> read_artefacts(const std::filesystem::path& folder);

/// Puts them where the technique would have. Throws: Error{file/cannot-write}.
void write_artefacts(const std::vector<Artefact>& artefacts, const std::filesystem::path& folder);

}  // namespace topress::pipeline
