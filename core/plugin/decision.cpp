// Gates are told from each other by the codes of their refusals.
#include "plugin/decision.hpp"

#include "base/suggest.hpp"
#include "plugin/note.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

namespace topress::plugin {

namespace {

namespace fs = std::filesystem;

struct GateName {
    std::string_view gate;
    std::string_view question;
};

constexpr std::array<GateName, 11> kGates = {{
    {"place", "can only trusted users change the file, and is it inside a plugin folder"},
    {"file", "is it a whole shared library for this machine"},
    {"notes", "does it carry plugin.toml and how it was built"},
    {"abi", "does it speak this version of the plugin ABI"},
    {"build", "was it built with the same LibTorch and C++ library"},
    {"metadata", "is plugin.toml valid"},
    {"linkage", "was it linked so that it can be opened beside others"},
    {"rules", "do plugins.allow and plugins.deny let it pass"},
    {"id", "is it the first file with this plugin id"},
    {"techniques", "does no other plugin have one of its techniques"},
    {"probe", "does it open in a child process"},
}};

// Every code that refuses a file, by the gate that gives it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 33> kGateOfCode = {{
    {"plugin/foreign-owner", "place"},
    {"plugin/writable-by-others", "place"},
    {"plugin/link-outside", "place"},
    {"plugin/not-elf", "file"},
    {"plugin/wrong-architecture", "file"},
    {"plugin/truncated", "file"},
    {"plugin/cannot-load", "file"},  // not readable; what the loader says comes from the probe
    {"plugin/no-note", "notes"},
    {"plugin/bad-note", "notes"},
    {"plugin/abi-major", "abi"},
    {"plugin/abi-minor", "abi"},
    {"plugin/fingerprint-mismatch", "build"},
    {"plugin/bad-metadata", "metadata"},
    {"plugin/missing-symbol", "linkage"},
    {"plugin/bad-entry", "linkage"},
    {"plugin/extra-exports", "linkage"},
    {"plugin/unsafe-memory", "linkage"},
    {"plugin/unsafe-library-path", "linkage"},
    {"plugin/static-runtime", "linkage"},
    {"plugin/shared-cudart", "linkage"},
    {"plugin/undeclared-namespace", "linkage"},
    {"plugin/denied", "rules"},
    {"plugin/not-allowed", "rules"},
    {"plugin/duplicate-technique", "techniques"},
    {"plugin/duplicate-namespace", "techniques"},
    {"plugin/probe-crashed", "probe"},
    {"plugin/probe-exited", "probe"},
    {"plugin/probe-timeout", "probe"},
    {"plugin/metadata-mismatch", "probe"},
    {"plugin/init-failed", "probe"},
    {"plugin/missing-interface", "probe"},
    {"plugin/changes-float-mode", "probe"},
    {"plugin/changes-process-state", "probe"},
}};

// "found: ..." of the notes of a refusal.
std::string note_of(const Diagnostic& refusal, std::string_view name) {
    const std::string prefix = std::string(name).append(": ");
    for (const DiagnosticNote& note : refusal.notes) {
        if (note.message.starts_with(prefix)) {
            return note.message.substr(prefix.size());
        }
    }
    return {};
}

void fill_refusal(GateReport& report, const Diagnostic& refusal) {
    report.outcome = GateOutcome::Refused;
    report.code = refusal.code;
    const std::string found = note_of(refusal, "found");
    report.found = refusal.message + (found.empty() ? std::string() : std::string(": ") + found);
    report.expected = note_of(refusal, "expected");
    report.rule = note_of(refusal, "rule");
    report.hint = refusal.hint;
}

std::string abi_text(std::uint32_t major, std::uint32_t minor) {
    return std::to_string(major) + "." + std::to_string(minor);
}

template <std::size_t Size>
std::string text_of(const char (&field)[Size]) {
    return std::string(field, std::find(field, field + Size, '\0'));
}

std::string build_text(const topress_fingerprint& build) {
    return "LibTorch " + text_of(build.torch_version) + " " + text_of(build.torch_flavour) + ", " +
           text_of(build.standard_library) + ", C++11 string ABI " +
           std::to_string(build.cxx11_abi);
}

std::string technique_list(const PluginMetadata& metadata) {
    std::string text;
    for (const TechniqueMetadata& technique : metadata.techniques) {
        text += (text.empty() ? "" : ", ") + technique.id;
    }
    return text;
}

// What a gate found that let the file pass.
class Findings {
  public:
    Findings(const CatalogEntry& entry, const SearchPaths& paths, const topress_fingerprint& host)
        : entry_(entry), paths_(paths), host_(host), reading_(read_notes(entry.path)) {}

    void fill(GateReport& report) const {
        const std::string& gate = report.gate;
        if (gate == "place") {
            report.found = entry_.path.parent_path().string() + " (" + entry_.where_from + ")";
        } else if (gate == "file") {
            std::error_code error;
            report.found = std::to_string(fs::file_size(entry_.path, error)) + " bytes";
        } else if (gate == "rules") {
            fill_rules(report);
        } else if (gate == "id" && entry_.metadata) {
            report.found = entry_.metadata->id;
        } else if (gate == "techniques" && entry_.metadata) {
            report.found = technique_list(*entry_.metadata);
        } else if (gate == "metadata" && entry_.metadata) {
            report.found = entry_.metadata->id + " " + entry_.metadata->version;
        } else if (reading_.notes) {
            fill_from_notes(report, *reading_.notes);
        }
    }

  private:
    void fill_rules(GateReport& report) const {
        const bool is_listed = !paths_.rules.allow.empty() && !entry_.is_bundled();
        report.found = paths_.rules.file.empty() ? "no rules"
                       : is_listed               ? "allowed by " + paths_.rules.file
                                                 : "nothing against it in " + paths_.rules.file;
    }

    void fill_from_notes(GateReport& report, const PluginNotes& notes) const {
        if (report.gate == "notes") {
            report.found = std::to_string(notes.metadata.size()) + " bytes of plugin.toml";
        } else if (report.gate == "linkage") {
            report.found = std::to_string(notes.linkage.needed.size()) + " libraries needed, " +
                           std::to_string(notes.linkage.exports.size()) + " symbol exported";
        } else if (report.gate == "abi") {
            report.found = abi_text(notes.abi.abi_major, notes.abi.abi_minor);
            report.expected = abi_text(TOPRESS_ABI_MAJOR, TOPRESS_ABI_MINOR) + " or an older minor";
        } else if (report.gate == "build") {
            report.found = build_text(notes.abi.fingerprint);
            report.expected = build_text(host_);
        }
    }

    const CatalogEntry& entry_;
    const SearchPaths& paths_;
    const topress_fingerprint& host_;
    NoteReading reading_;
};

void fill_shadowed(GateReport& report, const CatalogEntry& entry) {
    report.outcome = GateOutcome::Refused;
    report.found = "found first: " + entry.shadowed_by.string();
    report.expected = "one file for a plugin id";
    report.rule = "the place that is searched first wins";
    report.hint = "remove the other file, or name this one's folder with --plugin-path";
}

void fill_probe(GateReport& report, const std::optional<ProbeVerdict>& probe) {
    if (!probe) {
        report.found = "not probed yet: that happens before it is used";
    } else if (probe->refusal) {
        fill_refusal(report, *probe->refusal);
    } else {
        report.outcome = GateOutcome::Passed;
        report.found = probe->is_remembered ? "it did, as remembered" : "it did, just now";
    }
}

bool has_technique(const CatalogEntry& entry, const std::string& id) {
    return entry.metadata &&
           std::any_of(entry.metadata->techniques.begin(),
                       entry.metadata->techniques.end(),
                       [&](const TechniqueMetadata& technique) { return technique.id == id; });
}

}  // namespace

std::string_view gate_of(std::string_view code) {
    for (const auto& [known, gate] : kGateOfCode) {
        if (known == code) {
            return gate;
        }
    }
    return {};
}

std::vector<GateReport> explain_decision(const CatalogEntry& entry,
                                         const SearchPaths& paths,
                                         const topress_fingerprint& host,
                                         const std::optional<ProbeVerdict>& probe) {
    const Findings findings(entry, paths, host);
    const bool is_refused = entry.verdict == Verdict::Refused;
    const std::string_view stop = is_refused                   ? gate_of(entry.refusal.code)
                                  : !entry.shadowed_by.empty() ? std::string_view("id")
                                                               : std::string_view();
    std::vector<GateReport> reports;
    bool is_reached = true;
    for (const GateName& name : kGates) {
        GateReport& report = reports.emplace_back();
        report.gate = name.gate;
        report.question = name.question;
        if (name.gate == stop) {
            is_refused ? fill_refusal(report, entry.refusal) : fill_shadowed(report, entry);
            is_reached = false;
        } else if (is_reached && name.gate == "probe") {
            fill_probe(report, probe);
        } else if (is_reached) {
            report.outcome = GateOutcome::Passed;
            findings.fill(report);
        }
    }
    return reports;
}

std::vector<const CatalogEntry*> find_entries(const Catalog& catalog, const std::string& name) {
    std::vector<const CatalogEntry*> found;
    std::error_code error;
    for (const CatalogEntry& entry : catalog.entries) {
        const bool is_id = entry.metadata && entry.metadata->id == name;
        if (is_id || has_technique(entry, name) || fs::equivalent(entry.path, name, error)) {
            found.push_back(&entry);
        }
    }
    return found;
}

std::optional<std::string> nearest_id(const Catalog& catalog, const std::string& name) {
    std::vector<std::string> ids;
    for (const CatalogEntry& entry : catalog.entries) {
        if (!entry.metadata) {
            continue;
        }
        ids.push_back(entry.metadata->id);
        for (const TechniqueMetadata& technique : entry.metadata->techniques) {
            ids.push_back(technique.id);
        }
    }
    return nearest(name, ids);
}

}  // namespace topress::plugin
