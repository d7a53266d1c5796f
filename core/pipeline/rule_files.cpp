// Finding rule sets.
#include "pipeline/rule_files.hpp"

#include "base/suggest.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

namespace topress::pipeline {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> find_rule_file(const std::string& name,
                                       const std::vector<fs::path>& folders) {
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

Diagnostic unknown_rules(const std::string& name,
                         const std::vector<fs::path>& folders,
                         const Location& where) {
    Diagnostic diagnostic;
    diagnostic.code = "config/unknown-rules";
    diagnostic.message = "no rule set is called '" + name + "'";
    diagnostic.location = where;
    const auto close = nearest(name, known_names(folders));
    diagnostic.hint = close ? "did you mean '" + *close + "'?"
                            : "give the path of a rule file, or `rules = []` for none";
    return diagnostic;
}

}  // namespace

std::vector<fs::path> rule_folders(const fs::path& config_file) {
    std::vector<fs::path> folders = {fs::absolute(config_file).parent_path() / "rules"};
    std::error_code failed;
    const fs::path program = fs::read_symlink("/proc/self/exe", failed);
    if (!failed) {
        folders.push_back(program.parent_path().parent_path() / "share/topress/rules");
    }
    folders.emplace_back(TOPRESS_RULES_DIR);
    return folders;
}

std::vector<order::RuleSet> load_rule_sets(const std::vector<std::string>& names,
                                           const std::vector<fs::path>& folders,
                                           const Location& where,
                                           Diagnostics& diagnostics) {
    std::vector<order::RuleSet> sets;
    for (const std::string& name : names) {
        const std::optional<fs::path> file = find_rule_file(name, folders);
        if (!file) {
            diagnostics.push_back(unknown_rules(name, folders, where));
            continue;
        }
        try {
            sets.push_back(order::load_rules(*file));
        } catch (const DiagnosticError& error) {
            diagnostics.insert(
                diagnostics.end(), error.diagnostics().begin(), error.diagnostics().end());
        }
    }
    return sets;
}

}  // namespace topress::pipeline
