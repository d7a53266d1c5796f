// The folder: entries, claims, and keeping it small.
#include "pipeline/stage_cache.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "plugin/trust.hpp"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>

namespace topress::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEntrySuffix = ".stage";
constexpr const char* kLockSuffix = ".lock";
constexpr const char* kTemporarySuffix = ".tmp";
constexpr const char* kOff = "off";
constexpr std::size_t kKeyDigits = 32;
constexpr double kBytesPerGb = 1e9;
// Nobody writes a single file for so long.
constexpr double kAbandonedSeconds = 3600;

double now_since_1970() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

double seconds_of(const timespec& time) {
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

bool is_key(const std::string& text) {
    return text.size() == kKeyDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Makes the folder and looks whether anybody else may write it. Empty when all is well.
std::string reason_against(const fs::path& folder) {
    std::error_code failed;
    fs::create_directories(folder.parent_path(), failed);
    if (fs::create_directory(folder, failed)) {
        fs::permissions(folder, fs::perms::owner_all, failed);
    }
    if (failed) {
        return failed.message();
    }
    if (!fs::is_directory(folder, failed)) {
        return "it is no folder";
    }
    using plugin::TrustChecker;
    const auto verdict = TrustChecker(plugin::TrustPolicy::of_process()).check_folder(folder);
    return verdict.refusal ? verdict.refusal->message : std::string();
}

/// A file system without access times still says when an entry was used: the time of change does.
void mark_as_used(const fs::path& file) {
    ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);
}

std::optional<StoredStage> stored_stage(const fs::path& file) {
    struct stat facts{};
    const std::string key = file.stem().string();
    if (file.extension() != kEntrySuffix || !is_key(key) || ::stat(file.c_str(), &facts) != 0) {
        return std::nullopt;
    }
    return StoredStage{
        key, file, static_cast<std::uintmax_t>(facts.st_size), seconds_of(facts.st_mtim)};
}

std::uintmax_t bytes_of(const std::vector<StoredStage>& stages) {
    std::uintmax_t sum = 0;
    for (const StoredStage& stage : stages) {
        sum += stage.bytes;
    }
    return sum;
}

}  // namespace

CachePlace cache_place(const config::CacheConfig& config,
                       const plugin::UserEnvironment& environment) {
    CachePlace place;
    place.limit_bytes = static_cast<std::uintmax_t>(config.max_gb * kBytesPerGb);
    const std::string named = environment.value("TOPRESS_STAGE_CACHE");
    if (place.limit_bytes == 0 || (config.directory.empty() && named == kOff)) {
        return place;
    }
    if (!config.directory.empty()) {
        place.folder = config.directory;
    } else if (!named.empty()) {
        place.folder = fs::absolute(named).lexically_normal();
    } else if (const fs::path folder = environment.cache_folder(); !folder.empty()) {
        place.folder = folder / "topress" / "stages";
    }
    return place;
}

StageCache::StageCache(CachePlace place, Listener listener)
    : place_(std::move(place)), listener_(std::move(listener)) {
    if (place_.folder.empty()) {
        return;
    }
    if (const std::string reason = reason_against(place_.folder); !reason.empty()) {
        give_up(reason);
        return;
    }
    is_usable_ = true;
}

std::optional<CacheEntry> StageCache::find(const std::string& key) {
    std::error_code ignored;
    if (!is_usable_ || !fs::exists(file_of(key), ignored)) {
        return std::nullopt;
    }
    try {
        CacheEntry entry = cache_entry_from_bytes(read_file(file_of(key)), key);
        mark_as_used(file_of(key));
        return entry;
    } catch (const Error& error) {
        if (error.code() != "cache/damaged") {
            log::debug(std::string("a cached stage is not used: ") + error.what());
            return std::nullopt;
        }
        fs::remove(file_of(key), ignored);
        Diagnostic warning;
        warning.severity = Severity::Warning;
        warning.code = error.code();
        warning.message = error.what();
        warning.location.file = file_of(key).string();
        warning.hint =
            "it was removed and the stage is computed again; if this happens often, "
            "look after the disk";
        listener_(std::move(warning));
        return std::nullopt;
    }
}

void StageCache::store(const CacheEntry& entry) {
    if (!is_usable_) {
        return;
    }
    try {
        const std::string bytes = to_bytes(entry);
        if (bytes.size() > place_.limit_bytes) {
            log::debug("a stage of " + std::to_string(bytes.size()) +
                       " bytes is larger than the stage cache may become");
            return;
        }
        write_file_atomically(file_of(entry.key), bytes);
        trim(entry.key);
    } catch (const std::exception& error) {
        give_up(error.what());
    }
}

std::optional<FileLock> StageCache::claim(const std::string& key) {
    if (!is_usable_) {
        return std::nullopt;
    }
    try {
        return FileLock::take_if_free(lock_of(key));
    } catch (const Error& error) {
        give_up(error.what());
        return std::nullopt;
    }
}

std::string StageCache::claimed_by(const std::string& key) const {
    return lock_holder(lock_of(key));
}

std::vector<StoredStage> StageCache::list() const {
    std::vector<StoredStage> stages;
    std::error_code failed;
    for (fs::directory_iterator item(place_.folder, failed), end; !failed && item != end;
         item.increment(failed)) {
        if (auto stage = stored_stage(item->path())) {
            stages.push_back(std::move(*stage));
        }
    }
    std::ranges::sort(stages, [](const StoredStage& a, const StoredStage& b) {
        return std::tie(a.last_used, a.key) < std::tie(b.last_used, b.key);
    });
    return stages;
}

std::vector<StoredStage> StageCache::verify() {
    std::vector<StoredStage> damaged;
    for (const StoredStage& stage : list()) {
        try {
            static_cast<void>(cache_entry_from_bytes(read_file(stage.file), stage.key));
        } catch (const Error& error) {
            if (error.code() == "cache/damaged") {
                std::error_code ignored;
                fs::remove(stage.file, ignored);
                damaged.push_back(stage);
            }
        }
    }
    return damaged;
}

std::vector<StoredStage> StageCache::clear() {
    std::vector<StoredStage> removed;
    for (const StoredStage& stage : list()) {
        std::error_code failed;
        if (fs::remove(stage.file, failed)) {
            removed.push_back(stage);
        }
    }
    remove_leftovers(kAbandonedSeconds);
    return removed;
}

fs::path StageCache::file_of(const std::string& key) const {
    return place_.folder / (key + kEntrySuffix);
}

fs::path StageCache::lock_of(const std::string& key) const {
    return place_.folder / (key + kLockSuffix);
}

void StageCache::give_up(const std::string& why) {
    is_usable_ = false;
    Diagnostic warning;
    warning.severity = Severity::Warning;
    warning.code = "cache/unusable";
    warning.message = "the stage cache is not used: " + why;
    warning.location.file = place_.folder.string();
    warning.hint = "results are the same, later runs compute them again; see `topress cache path`";
    listener_(std::move(warning));
}

/// Two programs that trim at once may remove more than needed: that costs time, never a result.
void StageCache::trim(const std::string& kept_key) const {
    const std::vector<StoredStage> stages = list();
    std::uintmax_t bytes = bytes_of(stages);
    for (const StoredStage& stage : stages) {
        if (bytes <= place_.limit_bytes) {
            break;
        }
        std::error_code ignored;
        if (stage.key != kept_key && fs::remove(stage.file, ignored)) {
            log::debug("the stage cache drops " + stage.file.filename().string());
            bytes -= stage.bytes;
        }
    }
    remove_leftovers(kAbandonedSeconds);
}

/// Half-written files and locks of programs that were killed.
void StageCache::remove_leftovers(double older_than_seconds) const {
    std::error_code failed;
    for (fs::directory_iterator item(place_.folder, failed), end; !failed && item != end;
         item.increment(failed)) {
        const fs::path file = item->path();
        struct stat facts{};
        const bool is_old = ::stat(file.c_str(), &facts) == 0 &&
                            now_since_1970() - seconds_of(facts.st_mtim) > older_than_seconds;
        std::error_code ignored;
        if (is_old && file.extension() == kTemporarySuffix) {
            fs::remove(file, ignored);
        } else if (is_old && file.extension() == kLockSuffix && is_key(file.stem().string())) {
            try {
                static_cast<void>(FileLock::take_if_free(file));  // gives it back, and removes it
            } catch (const Error&) {
                // whoever owns it removes it
            }
        }
    }
}

}  // namespace topress::pipeline
