// The folder: entries, claims, and keeping it small.
#include "pipeline/stage_cache.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "pipeline/teacher_answers.hpp"
#include "plugin/trust.hpp"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>

namespace topress::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStageSuffix = ".stage";
constexpr const char* kTeacherSuffix = ".teacher";
constexpr const char* kLockSuffix = ".lock";
constexpr const char* kTemporarySuffix = ".tmp";
constexpr const char* kOff = "off";
constexpr std::size_t kKeyDigits = 32;
constexpr double kBytesPerGb = 1e9;
// Of the cache: what one teacher's answers may take.
constexpr std::uintmax_t kTeacherPart = 4;
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

std::optional<EntryKind> kind_of(const fs::path& file) {
    if (file.extension() == kStageSuffix) {
        return EntryKind::Stage;
    }
    return file.extension() == kTeacherSuffix ? std::optional(EntryKind::Teacher) : std::nullopt;
}

std::optional<StoredEntry> stored_entry(const fs::path& file) {
    struct stat facts{};
    const std::string key = file.stem().string();
    const auto kind = kind_of(file);
    if (!kind || !is_key(key) || ::stat(file.c_str(), &facts) != 0) {
        return std::nullopt;
    }
    return StoredEntry{
        *kind, key, file, static_cast<std::uintmax_t>(facts.st_size), seconds_of(facts.st_mtim)};
}

std::uintmax_t bytes_of(const std::vector<StoredEntry>& entries) {
    std::uintmax_t sum = 0;
    for (const StoredEntry& entry : entries) {
        sum += entry.bytes;
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

template <typename Decode>
auto StageCache::read(const fs::path& file, const Decode& decode)
    -> std::optional<decltype(decode(std::string()))> {
    std::error_code ignored;
    if (!is_usable_ || !fs::exists(file, ignored)) {
        return std::nullopt;
    }
    try {
        auto content = decode(read_file(file));
        mark_as_used(file);
        return content;
    } catch (const Error& error) {
        if (error.code() != "cache/damaged") {
            log::debug(std::string("an entry of the stage cache is not used: ") + error.what());
            return std::nullopt;
        }
        fs::remove(file, ignored);
        Diagnostic warning;
        warning.severity = Severity::Warning;
        warning.code = error.code();
        warning.message = error.what();
        warning.location.file = file.string();
        warning.hint =
            "it was removed and is computed again; if this happens often, look after the disk";
        listener_(std::move(warning));
        return std::nullopt;
    }
}

void StageCache::write(const fs::path& file, const std::string& bytes) {
    try {
        write_file_atomically(file, bytes);
        trim(file);
    } catch (const std::exception& error) {
        give_up(error.what());
    }
}

std::optional<CacheEntry> StageCache::find(const std::string& key) {
    return read(file_of(key, EntryKind::Stage),
                [&](const std::string& bytes) { return cache_entry_from_bytes(bytes, key); });
}

void StageCache::store(const CacheEntry& entry) {
    if (!is_usable_) {
        return;
    }
    const std::string bytes = to_bytes(entry);
    if (bytes.size() > place_.limit_bytes) {
        log::debug("a stage of " + std::to_string(bytes.size()) +
                   " bytes is larger than the stage cache may become");
        return;
    }
    write(file_of(entry.key, EntryKind::Stage), bytes);
}

at::Tensor StageCache::find_teacher_answers(const std::string& key) {
    const auto found = read(file_of(key, EntryKind::Teacher), [&](const std::string& bytes) {
        return teacher_answers_from_bytes(bytes, key);
    });
    return found.value_or(at::Tensor());
}

void StageCache::store_teacher_answers(const std::string& key, const at::Tensor& logits) {
    if (!is_usable_ || logits.nbytes() > place_.limit_bytes / kTeacherPart) {
        return;
    }
    write(file_of(key, EntryKind::Teacher), teacher_answers_to_bytes(key, logits));
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

std::vector<StoredEntry> StageCache::list() const {
    std::vector<StoredEntry> entries;
    std::error_code failed;
    for (fs::directory_iterator item(place_.folder, failed), end; !failed && item != end;
         item.increment(failed)) {
        if (auto entry = stored_entry(item->path())) {
            entries.push_back(std::move(*entry));
        }
    }
    std::ranges::sort(entries, [](const StoredEntry& a, const StoredEntry& b) {
        return std::tie(a.last_used, a.key) < std::tie(b.last_used, b.key);
    });
    return entries;
}

std::vector<StoredEntry> StageCache::verify() {
    std::vector<StoredEntry> damaged;
    for (const StoredEntry& entry : list()) {
        try {
            const std::string bytes = read_file(entry.file);
            if (entry.kind == EntryKind::Stage) {
                static_cast<void>(cache_entry_from_bytes(bytes, entry.key));
            } else {
                static_cast<void>(teacher_answers_from_bytes(bytes, entry.key));
            }
        } catch (const Error& error) {
            if (error.code() == "cache/damaged") {
                std::error_code ignored;
                fs::remove(entry.file, ignored);
                damaged.push_back(entry);
            }
        }
    }
    return damaged;
}

std::vector<StoredEntry> StageCache::clear() {
    std::vector<StoredEntry> removed;
    for (const StoredEntry& entry : list()) {
        std::error_code failed;
        if (fs::remove(entry.file, failed)) {
            removed.push_back(entry);
        }
    }
    remove_leftovers(kAbandonedSeconds);
    return removed;
}

fs::path StageCache::file_of(const std::string& key, EntryKind kind) const {
    return place_.folder / (key + (kind == EntryKind::Stage ? kStageSuffix : kTeacherSuffix));
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
void StageCache::trim(const fs::path& kept) const {
    const std::vector<StoredEntry> entries = list();
    std::uintmax_t bytes = bytes_of(entries);
    for (const StoredEntry& entry : entries) {
        if (bytes <= place_.limit_bytes) {
            break;
        }
        std::error_code ignored;
        if (entry.file != kept && fs::remove(entry.file, ignored)) {
            log::debug("the stage cache drops " + entry.file.filename().string());
            bytes -= entry.bytes;
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
