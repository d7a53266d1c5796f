// Search, examine, shadow, sort. Every decision is made from the files' notes alone.
#include "plugin/catalog.hpp"

#include "plugin/gate.hpp"
#include "plugin/linkage_gate.hpp"
#include "plugin/note.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

namespace topress::plugin {

namespace {

namespace fs = std::filesystem;

void refuse(CatalogEntry& entry, Diagnostic refusal) {
    entry.verdict = Verdict::Refused;
    entry.refusal = std::move(refusal);
}

Diagnostic not_a_file(const fs::path& path) {
    return to_diagnostic({"plugin/not-elf",
                          "this is not a shared library",
                          "a folder, pipe, socket or device",
                          "an ELF shared library in a regular file",
                          {},
                          "name the library file itself"},
                         path.string());
}

// Several mistakes in one plugin.toml are one refusal: the first, and the others as notes.
Diagnostic merge(const Diagnostics& mistakes) {
    Diagnostic merged = mistakes.front();
    for (auto mistake = mistakes.begin() + 1; mistake != mistakes.end(); ++mistake) {
        merged.notes.push_back({mistake->message, mistake->location});
    }
    return merged;
}

// ---- finding files ------------------------------------------------------------------------------

bool is_library_name(const fs::path& path) {
    return path.extension() == ".so";
}

Diagnostic missing_place(const SearchPath& place) {
    Diagnostic diagnostic;
    diagnostic.severity = Severity::Warning;
    diagnostic.code = "plugin/path-ignored";
    diagnostic.message = "the plugin path '" + place.path.string() + "' (" + place.where_from +
                         ") does not exist or cannot be read";
    diagnostic.hint = "correct or remove it";
    return diagnostic;
}

// The libraries of one folder, by name: folders are listed in no particular order.
std::vector<fs::path> list_libraries(const SearchPath& place, Diagnostics& diagnostics) {
    std::error_code error;
    std::vector<fs::path> files;
    fs::directory_iterator folder(place.path, error);
    if (error) {
        if (place.is_explicit) {
            diagnostics.push_back(missing_place(place));
        }
        return files;
    }
    for (; folder != fs::directory_iterator(); folder.increment(error)) {
        if (is_library_name(folder->path()) && !folder->is_directory(error)) {
            files.push_back(folder->path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

Diagnostic ignored_place(const SearchPath& place, const Refusal& refusal) {
    Diagnostic diagnostic = to_diagnostic(refusal, place.path.string());
    diagnostic.severity = Severity::Warning;
    diagnostic.message = "no plugin is taken from '" + place.path.string() + "' (" +
                         place.where_from + "): " + refusal.message;
    return diagnostic;
}

// One search: what was seen, and who is believed.
class Search {
  public:
    Search(const SearchPaths& paths, const topress_fingerprint& host, Diagnostics& diagnostics)
        : paths_(paths), host_(host), diagnostics_(diagnostics), trust_(paths.trust) {
        for (const SearchPath& place : paths.places) {
            std::error_code error;
            if (fs::is_directory(place.path, error)) {
                roots_.push_back(fs::weakly_canonical(place.path, error));
            }
        }
    }

    std::vector<CatalogEntry> examine_all() {
        for (const SearchPath& place : paths_.places) {
            std::error_code error;
            if (fs::exists(place.path, error) && !fs::is_directory(place.path, error)) {
                examine(place, place.path, true);
            } else if (const auto refusal = trust_.check_folder(place.path).refusal) {
                diagnostics_.push_back(ignored_place(place, *refusal));
            } else {
                for (const fs::path& file : list_libraries(place, diagnostics_)) {
                    examine(place, file, false);
                }
            }
        }
        return std::move(entries_);
    }

  private:
    // A file reached twice (through a link, or a folder named twice) is looked at once.
    void examine(const SearchPath& place, const fs::path& file, bool is_named) {
        const TrustVerdict trust = trust_.check_file(file);
        if (!seen_.insert(trust.resolved.empty() ? file : trust.resolved).second) {
            return;
        }
        CatalogEntry entry = examine_plugin(file, host_);
        entry.where_from = place.where_from;
        std::optional<Refusal> refusal = trust.refusal;
        if (!refusal && !is_named && !trust.resolved.empty()) {
            refusal = check_link_target(trust.resolved, roots_);
        }
        if (!refusal && entry.verdict == Verdict::Loadable) {
            refusal = check_rules(paths_.rules, entry.metadata->id, entry.path, entry.is_bundled());
        }
        if (refusal) {
            refuse(entry, to_diagnostic(*refusal, entry.path.string()));
        }
        entries_.push_back(std::move(entry));
    }

    const SearchPaths& paths_;
    const topress_fingerprint& host_;
    Diagnostics& diagnostics_;
    TrustChecker trust_;
    std::vector<fs::path> roots_;  ///< folders that are searched, without links
    std::set<fs::path> seen_;
    std::vector<CatalogEntry> entries_;
};

// ---- one plugin id, one technique id ------------------------------------------------------------

void shadow_duplicates(std::vector<CatalogEntry>& entries) {
    std::map<std::string, fs::path> first;
    for (CatalogEntry& entry : entries) {
        if (entry.verdict == Verdict::Loadable) {
            const auto [found, is_first] = first.emplace(entry.metadata->id, entry.path);
            if (!is_first) {
                entry.shadowed_by = found->second;
            }
        }
    }
}

Diagnostic duplicate_technique(const CatalogEntry& entry,
                               const std::string& technique,
                               const CatalogEntry& owner) {
    return to_diagnostic({"plugin/duplicate-technique",
                          "the technique '" + technique + "' is already offered by plugin '" +
                              owner.metadata->id + "'",
                          "'" + technique + "' in " + owner.path.string(),
                          "a technique id of its own",
                          "a technique id means one technique; the plugin found first has it",
                          "rename the technique, or remove one of the plugins"},
                         entry.path.string());
}

void refuse_duplicate_techniques(std::vector<CatalogEntry>& entries) {
    std::map<std::string, const CatalogEntry*> owners;
    for (CatalogEntry& entry : entries) {
        if (!entry.is_active()) {
            continue;
        }
        for (const TechniqueMetadata& technique : entry.metadata->techniques) {
            const auto found = owners.find(technique.id);
            if (found != owners.end()) {
                refuse(entry, duplicate_technique(entry, technique.id, *found->second));
                break;
            }
        }
        if (entry.is_active()) {
            for (const TechniqueMetadata& technique : entry.metadata->techniques) {
                owners.emplace(technique.id, &entry);
            }
        }
    }
}

Diagnostic duplicate_namespace(const CatalogEntry& entry,
                               const std::string& name,
                               const CatalogEntry& owner) {
    return to_diagnostic({"plugin/duplicate-namespace",
                          "the LibTorch namespace '" + name + "' is already that of plugin '" +
                              owner.metadata->id + "'",
                          "'" + name + "' in " + owner.path.string(),
                          "a namespace of its own",
                          "LibTorch ends the process when a namespace is registered twice",
                          "rename the namespace, or remove one of the plugins"},
                         entry.path.string());
}

void refuse_duplicate_namespaces(std::vector<CatalogEntry>& entries) {
    std::map<std::string, const CatalogEntry*> owners;
    for (CatalogEntry& entry : entries) {
        if (!entry.is_active()) {
            continue;
        }
        const std::vector<std::string>& names = entry.metadata->torch_namespaces;
        const auto taken = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
            return owners.contains(name);
        });
        if (taken != names.end()) {
            refuse(entry, duplicate_namespace(entry, *taken, *owners[*taken]));
            continue;
        }
        for (const std::string& name : names) {
            owners.emplace(name, &entry);
        }
    }
}

std::string id_of(const CatalogEntry& entry) {
    return entry.metadata ? entry.metadata->id : std::string();
}

// The entries are in search order: a stable sort keeps that among those with one id.
void sort_by_id(std::vector<CatalogEntry>& entries) {
    const auto key = [](const CatalogEntry& entry) {
        const std::string id = id_of(entry);
        return std::tuple(id.empty(), id, id.empty() ? entry.path : fs::path());
    };
    std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
        return key(a) < key(b);
    });
}

}  // namespace

bool CatalogEntry::is_active() const {
    return verdict == Verdict::Loadable && shadowed_by.empty();
}

bool CatalogEntry::is_bundled() const {
    return where_from == kBesideTheProgram;
}

std::vector<TechniqueReference> Catalog::techniques() const {
    std::vector<TechniqueReference> found;
    for (const CatalogEntry& entry : entries) {
        if (entry.is_active()) {
            for (const TechniqueMetadata& technique : entry.metadata->techniques) {
                found.push_back({&entry, &technique});
            }
        }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return a.technique->id < b.technique->id;
    });
    return found;
}

std::vector<std::string> Catalog::technique_ids() const {
    std::vector<std::string> ids;
    for (const TechniqueReference& reference : techniques()) {
        ids.push_back(reference.technique->id);
    }
    return ids;
}

std::optional<TechniqueReference> Catalog::find_technique(std::string_view id) const {
    for (const TechniqueReference& reference : techniques()) {
        if (reference.technique->id == id) {
            return reference;
        }
    }
    return std::nullopt;
}

const CatalogEntry* Catalog::find_plugin(std::string_view id) const {
    const CatalogEntry* refused = nullptr;
    for (const CatalogEntry& entry : entries) {
        if (id_of(entry) != id) {
            continue;
        }
        if (entry.is_active()) {
            return &entry;
        }
        refused = refused == nullptr ? &entry : refused;
    }
    return refused;
}

CatalogEntry examine_plugin(const fs::path& file, const topress_fingerprint& host) {
    CatalogEntry entry;
    entry.path = fs::absolute(file).lexically_normal();
    std::error_code error;
    const fs::file_status status = fs::status(entry.path, error);
    if (fs::exists(status) && !fs::is_regular_file(status)) {  // opening a pipe would wait for ever
        refuse(entry, not_a_file(entry.path));
        return entry;
    }
    NoteReading reading = read_notes(entry.path);
    if (!reading.notes) {
        refuse(entry, std::move(reading.refusal));
        return entry;
    }
    // Metadata of another ABI major may have another form: it is read if possible, for the listing.
    const topress_abi_note& abi = reading.notes->abi;
    Diagnostics mistakes;
    entry.metadata =
        parse_metadata(reading.notes->metadata, entry.path.string() + ":plugin.toml", mistakes);
    if (entry.metadata) {
        entry.metadata->abi = {abi.abi_major, abi.abi_minor};
    }
    if (const auto refusal = check_build(abi.abi_major, abi.abi_minor, abi.fingerprint, host)) {
        refuse(entry, to_diagnostic(*refusal, entry.path.string()));
    } else if (!entry.metadata) {
        refuse(entry, merge(mistakes));
    } else if (const auto linked =
                   check_linkage(reading.notes->linkage, entry.metadata->torch_namespaces)) {
        refuse(entry, to_diagnostic(*linked, entry.path.string()));
    } else {
        entry.verdict = Verdict::Loadable;
    }
    return entry;
}

Catalog find_plugins(const SearchPaths& paths, const topress_fingerprint& host) {
    Catalog catalog;
    catalog.diagnostics = paths.diagnostics;
    catalog.entries = Search(paths, host, catalog.diagnostics).examine_all();
    shadow_duplicates(catalog.entries);
    refuse_duplicate_techniques(catalog.entries);
    refuse_duplicate_namespaces(catalog.entries);
    sort_by_id(catalog.entries);
    return catalog;
}

}  // namespace topress::plugin
