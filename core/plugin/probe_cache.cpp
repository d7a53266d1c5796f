// Verdicts as small JSON files.
#include "plugin/probe_cache.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "plugin/trust.hpp"

#include <nlohmann/json.hpp>

#include <ctime>
#include <sys/stat.h>
#include <utility>

namespace topress::plugin {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kLargestEntryBytes = std::size_t{1} << 20;
// A file that changed so recently may change again within one tick of its time stamp.
constexpr std::time_t kSettledSeconds = 2;

// Everything by which a change of the file shows, short of reading it.
std::string stamp_of(const struct stat& facts) {
    std::string text;
    for (const auto number : {std::uintmax_t{facts.st_dev},
                              std::uintmax_t{facts.st_ino},
                              static_cast<std::uintmax_t>(facts.st_size),
                              static_cast<std::uintmax_t>(facts.st_mtim.tv_sec),
                              static_cast<std::uintmax_t>(facts.st_mtim.tv_nsec),
                              static_cast<std::uintmax_t>(facts.st_ctim.tv_sec),
                              static_cast<std::uintmax_t>(facts.st_ctim.tv_nsec)}) {
        text += std::to_string(number) + " ";
    }
    return text;
}

std::optional<std::string> stamp_of(const fs::path& file, bool& is_settled) {
    struct stat facts{};
    if (::stat(file.c_str(), &facts) != 0) {
        return std::nullopt;
    }
    is_settled = facts.st_ctim.tv_sec + kSettledSeconds < std::time(nullptr);
    return stamp_of(facts);
}

// An entry of the cache; null for one that is missing or damaged.
Json read_entry(const fs::path& file) {
    std::error_code error;
    if (!fs::exists(file, error)) {
        return nullptr;
    }
    try {
        return Json::parse(read_file(file, kLargestEntryBytes), nullptr, false);
    } catch (const Error&) {
        return nullptr;
    }
}

std::string text_of(const Json& json, const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>()
                                                                         : std::string();
}

Json to_json(const Diagnostic& refusal) {
    Json json;
    json["code"] = refusal.code;
    json["message"] = refusal.message;
    json["file"] = refusal.location.file;
    json["hint"] = refusal.hint;
    json["notes"] = Json::array();
    for (const DiagnosticNote& note : refusal.notes) {
        json["notes"].push_back(note.message);
    }
    return json;
}

Diagnostic to_refusal(const Json& json) {
    Diagnostic refusal;
    refusal.code = text_of(json, "code");
    refusal.message = text_of(json, "message");
    refusal.location.file = text_of(json, "file");
    refusal.hint = text_of(json, "hint");
    const auto notes = json.find("notes");
    if (notes != json.end() && notes->is_array()) {
        for (const Json& note : *notes) {
            if (note.is_string()) {
                refusal.notes.push_back({note.get<std::string>(), {}});
            }
        }
    }
    return refusal;
}

std::string hash_text(const std::string& text) {
    return Hasher().add(text).hex();
}

std::string content_name(const fs::path& file) {
    return "content-" + hash_text(file.string()) + ".json";
}

// Made with permissions for its owner alone. Empty if it cannot be used.
fs::path usable(fs::path folder) {
    std::error_code error;
    if (folder.empty() || !folder.is_absolute()) {
        return {};
    }
    fs::create_directories(folder.parent_path(), error);
    if (fs::create_directory(folder, error)) {
        fs::permissions(folder, fs::perms::owner_all, error);
    }
    const TrustVerdict verdict = TrustChecker(TrustPolicy::of_process()).check_folder(folder);
    if (verdict.refusal || verdict.resolved.empty()) {
        log::debug("no probe is remembered: '" + folder.string() + "' cannot be used" +
                   (verdict.refusal ? ", " + verdict.refusal->message : std::string()));
        return {};
    }
    return folder;
}

}  // namespace

std::string encode_refusal(const std::optional<Diagnostic>& refusal) {
    Json json;
    json["schema"] = 1;
    json["passed"] = !refusal.has_value();
    if (refusal) {
        json["refusal"] = to_json(*refusal);
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<ProbeVerdict> decode_verdict(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    const bool is_known =
        json.is_object() && json.contains("passed") && json["passed"].is_boolean();
    if (!is_known) {
        return std::nullopt;
    }
    ProbeVerdict verdict;
    if (!json["passed"].get<bool>()) {
        const bool has_reason = json.contains("refusal") && json["refusal"].is_object();
        if (!has_reason || text_of(json["refusal"], "code").empty()) {
            return std::nullopt;
        }
        verdict.refusal = to_refusal(json["refusal"]);
    }
    return verdict;
}

ProbeCache::ProbeCache(fs::path folder, std::string build)
    : folder_(usable(std::move(folder))), build_(std::move(build)) {}

std::string ProbeCache::remembered_hash(const fs::path& file, const std::string& stamp) const {
    if (folder_.empty()) {
        return {};
    }
    const Json known = read_entry(folder_ / content_name(file));
    return text_of(known, "stamp") == stamp ? text_of(known, "hash") : std::string();
}

std::string ProbeCache::content_hash(const fs::path& file) const {
    bool is_settled = false;
    const auto before = stamp_of(file, is_settled);
    if (std::string known = before ? remembered_hash(file, *before) : std::string();
        !known.empty()) {
        return known;
    }
    const std::string bytes = read_file(file);
    std::string hash = hash_bytes(bytes.data(), bytes.size());
    bool is_settled_still = false;
    if (is_settled && before && stamp_of(file, is_settled_still) == before) {
        write(content_name(file),
              Json{{"file", file.string()}, {"stamp", *before}, {"hash", hash}}.dump(
                  -1, ' ', false, Json::error_handler_t::replace));
    }
    return hash;
}

std::string ProbeCache::verdict_key(const std::string& content) const {
    return Hasher().add(content).add(build_).hex();
}

std::string ProbeCache::key_of(const fs::path& file) const {
    return verdict_key(content_hash(file));
}

std::optional<ProbeVerdict> ProbeCache::find_known(const fs::path& file) const {
    bool is_settled = false;
    const auto stamp = stamp_of(file, is_settled);
    const std::string hash = stamp ? remembered_hash(file, *stamp) : std::string();
    return hash.empty() ? std::nullopt : find(verdict_key(hash));
}

std::optional<ProbeVerdict> ProbeCache::find(const std::string& key) const {
    if (folder_.empty()) {
        return std::nullopt;
    }
    const Json entry = read_entry(folder_ / ("verdict-" + key + ".json"));
    auto verdict = entry.is_object() ? decode_verdict(entry.dump()) : std::nullopt;
    if (verdict) {
        verdict->is_remembered = true;
    }
    return verdict;
}

void ProbeCache::store(const std::string& key, const ProbeVerdict& verdict) const {
    write("verdict-" + key + ".json", encode_refusal(verdict.refusal));
}

void ProbeCache::write(const std::string& name, const std::string& text) const {
    if (folder_.empty()) {
        return;
    }
    try {
        write_file_atomically(folder_ / name, text);
    } catch (const Error& error) {
        log::debug(std::string("the probe is not remembered: ") + error.what());
    }
}

}  // namespace topress::plugin
