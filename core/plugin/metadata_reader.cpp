// Checked keys and located mistakes of plugin.toml.
#include "plugin/metadata_reader.hpp"

#include "base/suggest.hpp"

#include <algorithm>

namespace topress::plugin {

std::vector<std::string> Keys::names(const std::string& name) const {
    // An empty list has no element that tells its type.
    const auto* list = std::get_if<std::vector<std::string>>(&values_.at(name).value);
    return list == nullptr ? std::vector<std::string>{} : *list;
}

std::optional<double> Keys::number(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt
                                  : std::optional(std::get<double>(found->second.value));
}

Location Keys::where(const std::string& name, const Location& otherwise) const {
    const auto found = values_.find(name);
    const bool is_given = found != values_.end() && found->second.where.line != 0;
    return is_given ? found->second.where : otherwise;
}

void Mistakes::add(std::string message, Location where, std::string hint) {
    Diagnostic diagnostic;
    diagnostic.code = "plugin/bad-metadata";
    diagnostic.message = std::move(message);
    diagnostic.location = std::move(where);
    diagnostic.location.file = file_;
    diagnostic.hint = std::move(hint);
    diagnostics_.push_back(std::move(diagnostic));
}

void Mistakes::add_all(Diagnostics found) {
    for (Diagnostic& diagnostic : found) {
        diagnostic.code = "plugin/bad-metadata";
        diagnostic.location.file = file_;
        diagnostics_.push_back(std::move(diagnostic));
    }
}

std::optional<Keys> Mistakes::read_keys(const config::Tree& tree,
                                        const Specs& specs,
                                        const std::string& owner) {
    Diagnostics found = config::validate_parameters(tree.values, specs, owner, tree.location);
    if (has_errors(found)) {
        add_all(std::move(found));
        return std::nullopt;
    }
    return Keys(config::fill_defaults(tree.values, specs));
}

void Mistakes::check_tables(const std::vector<config::Tree>& tables,
                            const std::vector<std::string>& known,
                            const std::string& owner) {
    for (const config::Tree& table : tables) {
        if (std::ranges::find(known, table.name) == known.end()) {
            const auto best = nearest(table.name, known);
            add("unknown table '" + table.name + "' in " + owner,
                table.location,
                best ? "did you mean '" + *best + "'?" : "remove it");
        }
    }
}

void Mistakes::check_each(const std::vector<std::string>& names,
                          const Location& where,
                          bool (*is_right)(const std::string&),
                          const std::string& what,
                          const std::string& hint) {
    for (const std::string& name : names) {
        if (!is_right(name)) {
            add("'" + name + "' is not " + what, where, hint);
        }
    }
}

void Mistakes::check_resources(const std::vector<std::string>& names, const Location& where) {
    std::string hint = "use \"x-...\" for your own, or one of";
    for (const std::string& name : known_resources()) {
        hint += " " + name;
    }
    check_each(names, where, is_resource, "a resource", hint);
}

}  // namespace topress::plugin
