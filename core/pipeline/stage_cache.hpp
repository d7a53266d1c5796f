// Finished stages of all runs of a user, found by what they were made from: one folder, bounded in
// size, shared by programs that run at once.
#pragma once

#include "base/file_lock.hpp"
#include "config/run_config.hpp"
#include "pipeline/cache_entry.hpp"
#include "plugin/user_environment.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace topress::pipeline {

/// Where the cache is and how large it may become.
struct CachePlace {
    std::filesystem::path folder;    ///< absolute; empty: there is none
    std::uintmax_t limit_bytes = 0;  ///< of all entries together
};

/// The folder of [cache], else of TOPRESS_STAGE_CACHE ("off": none), else topress/stages in the
/// user's cache folder.
[[nodiscard]] CachePlace cache_place(
    const config::CacheConfig& config,
    const plugin::UserEnvironment& environment = plugin::UserEnvironment::of_process());

/// A file of the cache.
struct StoredStage {
    std::string key;
    std::filesystem::path file;
    std::uintmax_t bytes = 0;
    double last_used = 0;  ///< seconds since 1970
};

/// Files KEY.stage (docs/stage-cache.md), each written under a temporary name and renamed; KEY.lock
/// while somebody computes that stage. A damaged entry counts as none and is removed. Trouble with
/// the folder is told once, as a warning; from then on nothing is found and nothing is stored.
/// Thread: one; programs: any number.
class StageCache {
  public:
    /// Hears warnings: cache/unusable once at most, cache/damaged for each damaged entry.
    using Listener = std::function<void(Diagnostic)>;

    /// Makes the folder, for its owner alone. One that others may write is not used.
    StageCache(CachePlace place, Listener listener);

    /// What is stored under a key; it counts as used now.
    [[nodiscard]] std::optional<CacheEntry> find(const std::string& key);

    /// Stores an entry and makes room for it. One that is larger than the whole cache is not kept.
    void store(const CacheEntry& entry);

    /// The right to compute the stage of that key, or nothing when another has it. Without a usable
    /// folder everybody has it: then `lock` is empty too, and is_usable() says no.
    [[nodiscard]] std::optional<FileLock> claim(const std::string& key);
    /// The process that has claimed the key, as text; may be empty.
    [[nodiscard]] std::string claimed_by(const std::string& key) const;

    [[nodiscard]] bool is_usable() const { return is_usable_; }

    /// Longest unused first.
    [[nodiscard]] std::vector<StoredStage> list() const;

    /// Reads every entry; those that are damaged are removed and returned.
    [[nodiscard]] std::vector<StoredStage> verify();

    /// Removes all entries and what killed programs left behind; returns what was removed.
    std::vector<StoredStage> clear();

  private:
    [[nodiscard]] std::filesystem::path file_of(const std::string& key) const;
    [[nodiscard]] std::filesystem::path lock_of(const std::string& key) const;
    void give_up(const std::string& why);
    void trim(const std::string& kept_key) const;
    void remove_leftovers(double older_than_seconds) const;

    CachePlace place_;
    Listener listener_;
    bool is_usable_ = false;
};

}  // namespace topress::pipeline
