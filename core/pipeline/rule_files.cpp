// Finding rule sets and evidence.
#include "pipeline/rule_files.hpp"

#include "base/suggest.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

namespace topress::pipeline {
namespace {

namespace fs = std::filesystem;

/// What is looked for, and how its absence is reported.
struct Kind {
    const char* folder;
    const char* code;
    const char* what;
    const char* hint;
};

constexpr Kind kRules = {"rules",
                         "config/unknown-rules",
                         "no rule set is called '",
                         "give the path of a rule file, or `rules = []` for none"};
constexpr Kind kEvidence = {"evidence",
                            "config/unknown-evidence",
                            "no evidence is called '",
                            "give the path of an evidence file, as `topress explore` writes it"};

std::vector<fs::path> folders_of(const Kind& kind, const fs::path& config_file) {
    std::vector<fs::path> folders = {fs::absolute(config_file).parent_path() / kind.folder};
    std::error_code failed;
    const fs::path program = fs::read_symlink("/proc/self/exe", failed);
    if (!failed) {
        folders.push_back(program.parent_path().parent_path() / "share/topress" / kind.folder);
    }
    folders.push_back(fs::path(TOPRESS_CONFIGS_DIR) / kind.folder);
    return folders;
}

std::optional<fs::path> find_file(const std::string& name, const std::vector<fs::path>& folders) {
    const fs::path given(name);
    if (given.is_absolute()) {
        return given;
    }
    for (const fs::path& folder : folders) {
        std::error_code ignored;
        const fs::path file = folder / (name + ".toml");
        if (fs::is_regular_file(file, ignored)) {
            return file;
        }
    }
    return std::nullopt;
}

std::vector<std::string> known_names(const std::vector<fs::path>& folders) {
    std::vector<std::string> names;
    for (const fs::path& folder : folders) {
        std::error_code ignored;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
            if (entry.path().extension() == ".toml") {
                names.push_back(entry.path().stem().string());
            }
        }
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Diagnostic unknown(const Kind& kind,
                   const std::string& name,
                   const std::vector<fs::path>& folders,
                   const Location& where) {
    Diagnostic diagnostic;
    diagnostic.code = kind.code;
    diagnostic.message = kind.what + name + "'";
    diagnostic.location = where;
    const auto close = nearest(name, known_names(folders));
    diagnostic.hint = close ? "did you mean '" + *close + "'?" : kind.hint;
    return diagnostic;
}

/// Every file that the setting names, once, in its sequence.
std::vector<fs::path> find_files(const Kind& kind,
                                 const NamedFiles& files,
                                 Diagnostics& diagnostics) {
    const std::vector<fs::path> folders = folders_of(kind, files.config_file);
    std::vector<fs::path> found;
    for (const std::string& name : files.names) {
        const std::optional<fs::path> file = find_file(name, folders);
        if (!file) {
            diagnostics.push_back(unknown(kind, name, folders, files.where));
        } else if (std::ranges::find(found, *file) == found.end()) {
            found.push_back(*file);
        }
    }
    return found;
}

template <typename Load>
auto load_all(const Kind& kind, const NamedFiles& files, Load load, Diagnostics& diagnostics) {
    std::vector<decltype(load(fs::path()))> loaded;
    for (const fs::path& file : find_files(kind, files, diagnostics)) {
        try {
            loaded.push_back(load(file));
        } catch (const DiagnosticError& error) {
            diagnostics.insert(
                diagnostics.end(), error.diagnostics().begin(), error.diagnostics().end());
        }
    }
    return loaded;
}

}  // namespace

std::vector<order::RuleSet> load_rule_sets(const NamedFiles& files, Diagnostics& diagnostics) {
    std::vector<order::RuleSet> sets = load_all(kRules, files, order::load_rules, diagnostics);
    for (std::size_t i = 0; i < sets.size(); ++i) {
        order::set_precedence(sets[i], static_cast<int>(i));
    }
    return sets;
}

std::vector<order::Evidence> load_evidence_files(const NamedFiles& files,
                                                 Diagnostics& diagnostics) {
    return load_all(kEvidence, files, order::load_evidence, diagnostics);
}

}  // namespace topress::pipeline
