// topress cache: what is in the stage cache, where it is, whether it is whole; and emptying it.
#include "cli/ledger_table.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "pipeline/stage_cache.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

namespace topress::cli {
namespace {

using pipeline::EntryKind;
using pipeline::StoredEntry;

/// The options of every command in here, and the warnings of the cache meanwhile.
struct CacheCommand {
    std::string directory;
    Diagnostics warnings;

    [[nodiscard]] pipeline::CachePlace place() const {
        config::CacheConfig config;
        if (!directory.empty()) {
            config.directory = std::filesystem::absolute(directory).lexically_normal();
        }
        return pipeline::cache_place(config);
    }

    pipeline::StageCache open() {
        return {place(), [this](Diagnostic warning) { warnings.push_back(std::move(warning)); }};
    }

    /// Without making the folder: looking must not.
    [[nodiscard]] bool exists() const {
        std::error_code ignored;
        return std::filesystem::is_directory(place().folder, ignored);
    }
};

std::uintmax_t bytes_of(const std::vector<StoredEntry>& entries) {
    std::uintmax_t sum = 0;
    for (const StoredEntry& entry : entries) {
        sum += entry.bytes;
    }
    return sum;
}

/// "5 stages, 1 teacher, 3.10 MB".
std::string summary(const std::vector<StoredEntry>& entries) {
    const auto teachers = std::ranges::count(entries, EntryKind::Teacher, &StoredEntry::kind);
    const auto stages = static_cast<std::ptrdiff_t>(entries.size()) - teachers;
    std::string text = std::to_string(stages) + (stages == 1 ? " stage, " : " stages, ");
    if (teachers > 0) {
        text += std::to_string(teachers) + (teachers == 1 ? " teacher, " : " teachers, ");
    }
    return text + with_unit(static_cast<double>(bytes_of(entries))) + "B";
}

const char* name_of(EntryKind kind) {
    return kind == EntryKind::Stage ? "stage" : "teacher";
}

Json to_json(const StoredEntry& stored) {
    Json json;
    json["kind"] = name_of(stored.kind);
    json["key"] = stored.key;
    json["bytes"] = stored.bytes;
    json["last_used"] = stored.last_used;
    return json;
}

Json to_json(const std::vector<StoredEntry>& entries) {
    Json json = Json::array();
    for (const StoredEntry& entry : entries) {
        json.push_back(to_json(entry));
    }
    return json;
}

Outcome start(const char* command, CacheCommand& options) {
    Outcome outcome;
    outcome.diagnostics = options.warnings;
    outcome.document = pipeline::document_head(command, options.warnings);
    outcome.document["path"] = options.place().folder.string();
    return outcome;
}

std::string age(double last_used) {
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double hours = (now - last_used) / 3600;
    return hours < 1    ? fixed(60 * hours, 0) + " min"
           : hours < 48 ? fixed(hours, 0) + " h"
                        : fixed(hours / 24, 0) + " days";
}

Outcome list_cache(CacheCommand& options) {
    const auto entries = options.exists() ? options.open().list() : std::vector<StoredEntry>();
    Outcome outcome = start("cache list", options);
    outcome.document["bytes"] = bytes_of(entries);
    outcome.document["entries"] = Json::array();
    std::vector<std::vector<std::string>> lines;
    for (const StoredEntry& stored : entries) {
        const bool is_stage = stored.kind == EntryKind::Stage;
        const auto head = is_stage ? pipeline::read_head(stored.file) : std::nullopt;
        Json entry = to_json(stored);
        if (head) {
            entry["stage"] = head->row.stage;
            entry["technique"] = head->row.technique;
            if (head->row.error) {
                entry["error"] = pipeline::number(*head->row.error);
            } else {
                entry["accuracy"] = pipeline::number(head->row.accuracy);
            }
            entry["bitops_cr"] = pipeline::number(head->row.bitops_cr);
            entry["seconds"] = pipeline::number(head->row.seconds);
            entry["created"] = head->created;
            entry["program"] = head->program;
        }
        outcome.document["entries"].push_back(std::move(entry));
        lines.push_back({stored.key.substr(0, 12),
                         head       ? head->row.stage
                         : is_stage ? "(damaged)"
                                    : "(answers of a teacher)",
                         head ? head->row.technique : "",
                         head ? score_of(head->row) : "-",
                         head ? fixed(head->row.seconds, 1) : "-",
                         with_unit(static_cast<double>(stored.bytes)) + "B",
                         age(stored.last_used)});
    }
    outcome.text = render_table(
        {"key", "stage", "technique", "accuracy", "seconds", "size", "unused for"}, lines, 3);
    outcome.text += summary(entries) + " in " + options.place().folder.string() + "\n";
    return outcome;
}

Outcome clear_cache(CacheCommand& options) {
    const auto removed = options.exists() ? options.open().clear() : std::vector<StoredEntry>();
    Outcome outcome = start("cache clear", options);
    outcome.document["removed"] = removed.size();
    outcome.document["bytes"] = bytes_of(removed);
    outcome.text = "removed " + summary(removed) + "\n";
    return outcome;
}

Outcome verify_cache(CacheCommand& options) {
    std::vector<StoredEntry> entries;
    std::vector<StoredEntry> damaged;
    if (options.exists()) {
        pipeline::StageCache cache = options.open();
        entries = cache.list();
        damaged = cache.verify();
    }
    Outcome outcome = start("cache verify", options);
    outcome.document["entries"] = entries.size();
    outcome.document["damaged"] = to_json(damaged);
    outcome.text =
        summary(entries) + " read, " + std::to_string(damaged.size()) + " damaged and removed\n";
    for (const StoredEntry& entry : damaged) {
        outcome.text += "  " + entry.key + "\n";
    }
    return outcome;
}

Outcome tell_path(CacheCommand& options) {
    Outcome outcome = start("cache path", options);
    const std::string path = options.place().folder.string();
    outcome.text = (path.empty() ? "there is no stage cache: TOPRESS_STAGE_CACHE is off" : path) +
                   std::string("\n");
    return outcome;
}

void add_command(CLI::App& group,
                 Session& session,
                 const char* name,
                 const char* what,
                 Outcome (*action)(CacheCommand&)) {
    auto options = std::make_shared<CacheCommand>();
    CLI::App* command = group.add_subcommand(name, what);
    command
        ->add_option("--directory",
                     options->directory,
                     "folder of the cache, as in [cache] of a configuration")
        ->type_name("DIR");
    command->callback([&session, options, name, action] {
        session.command = std::string("cache ") + name;
        session.action = [options, action] { return action(*options); };
    });
}

}  // namespace

void add_cache_command(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("cache", "finished stages that runs share");
    group->require_subcommand(1);
    add_command(*group, session, "list", "what is in it, longest unused first", list_cache);
    add_command(*group, session, "path", "where it is", tell_path);
    add_command(*group, session, "verify", "read all of it, remove what is damaged", verify_cache);
    add_command(*group, session, "clear", "remove all of it", clear_cache);
}

}  // namespace topress::cli
