// Finished stages of all runs of a user, found by what they were made from: one folder, bounded in
// size, shared by programs that run at once.
#pragma once

#include "base/file_lock.hpp"
#include "config/run_config.hpp"
#include "pipeline/cache_entry.hpp"
#include "plugin/user_environment.hpp"

#include <ATen/core/Tensor.h>

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

/// What an entry of the cache is.
enum class EntryKind : std::uint8_t {
    Stage,    ///< KEY.stage: a finished stage
    Teacher,  ///< KEY.teacher: what a teacher said of every picture of a training set
};

/// A file of the cache.
struct StoredEntry {
    EntryKind kind = EntryKind::Stage;
    std::string key;
    std::filesystem::path file;
    std::uintmax_t bytes = 0;
    double last_used = 0;  ///< seconds since 1970
};

/// Files KEY.stage and KEY.teacher (docs/stage-cache.md), each written under a temporary name and
/// renamed; KEY.lock while somebody computes that stage. A damaged entry counts as none and is
/// removed. Trouble with the folder is told once, as a warning; from then on nothing is found and
/// nothing is stored. Thread: one; programs: any number.
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

    /// What a teacher said, on the CPU; undefined if that is not stored. Counts as used now.
    [[nodiscard]] at::Tensor find_teacher_answers(const std::string& key);

    /// Stores what a teacher said (shape: samples, pictures of one, C) and makes room for it. What
    /// takes more than a quarter of the cache is not kept: stages cost more.
    void store_teacher_answers(const std::string& key, const at::Tensor& logits);

    /// The right to compute the stage of that key, or nothing when another has it. Without a usable
    /// folder everybody has it: then `lock` is empty too, and is_usable() says no.
    [[nodiscard]] std::optional<FileLock> claim(const std::string& key);
    /// The process that has claimed the key, as text; may be empty.
    [[nodiscard]] std::string claimed_by(const std::string& key) const;

    [[nodiscard]] bool is_usable() const { return is_usable_; }

    /// Longest unused first.
    [[nodiscard]] std::vector<StoredEntry> list() const;

    /// Reads every entry; those that are damaged are removed and returned.
    [[nodiscard]] std::vector<StoredEntry> verify();

    /// Removes all entries and what killed programs left behind; returns what was removed.
    std::vector<StoredEntry> clear();

  private:
    [[nodiscard]] std::filesystem::path file_of(const std::string& key, EntryKind kind) const;
    /// Reads and decodes a file; nothing where there is none, or after a warning where it is
    /// damaged.
    template <typename Decode>
    [[nodiscard]] auto read(const std::filesystem::path& file, const Decode& decode)
        -> std::optional<decltype(decode(std::string()))>;
    void write(const std::filesystem::path& file, const std::string& bytes);
    [[nodiscard]] std::filesystem::path lock_of(const std::string& key) const;
    void give_up(const std::string& why);
    void trim(const std::filesystem::path& kept) const;
    void remove_leftovers(double older_than_seconds) const;

    CachePlace place_;
    Listener listener_;
    bool is_usable_ = false;
};

}  // namespace topress::pipeline
