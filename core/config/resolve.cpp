// Short technique names -> ids.
#include "config/resolve.hpp"

#include "base/suggest.hpp"

#include <algorithm>

namespace topress::config {

namespace {

std::string_view last_component(std::string_view id) {
    return id.substr(id.rfind('.') + 1);  // npos + 1 == 0: the whole id
}

std::vector<std::string> ids_ending_in(std::string_view name, const std::vector<std::string>& ids) {
    std::vector<std::string> found;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(found), [&](const std::string& id) {
        return last_component(id) == name;
    });
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

// The nearest id, comparing whole ids and, for a name without a dot, their last components.
std::optional<std::string> nearest_id(std::string_view name, const std::vector<std::string>& ids) {
    std::vector<std::string> short_names;
    for (const std::string& id : ids) {
        short_names.emplace_back(last_component(id));
    }
    const auto by_id = nearest(name, ids);
    const auto by_short_name = nearest(name, short_names);
    const bool short_is_better =
        by_short_name && (!by_id || similarity(name, *by_short_name) > similarity(name, *by_id));
    return short_is_better ? ids_ending_in(*by_short_name, ids).front() : by_id;
}

Diagnostic ambiguous(std::string_view name, const std::vector<std::string>& candidates) {
    Diagnostic diagnostic;
    diagnostic.code = "config/ambiguous-technique";
    diagnostic.message = "the technique '" + std::string(name) + "' may mean " +
                         std::to_string(candidates.size()) + " techniques: " + joined(candidates);
    diagnostic.hint = "write the full id: use = \"" + candidates.front() + "\"";
    return diagnostic;
}

Diagnostic unknown(std::string_view name, const std::vector<std::string>& known_ids) {
    Diagnostic diagnostic;
    diagnostic.code = "config/unknown-technique";
    diagnostic.message = "unknown technique '" + std::string(name) + "'";
    std::vector<std::string> sorted = known_ids;
    std::sort(sorted.begin(), sorted.end());
    const auto similar = nearest_id(name, sorted);
    diagnostic.hint = similar ? "did you mean '" + *similar + "'? " : std::string();
    diagnostic.hint += sorted.empty() ? "no technique is installed: check the plugin folders"
                                      : "installed: " + joined(sorted);
    return diagnostic;
}

}  // namespace

std::optional<std::string> resolve_technique(std::string_view name,
                                             const std::vector<std::string>& known_ids) {
    if (std::find(known_ids.begin(), known_ids.end(), name) != known_ids.end()) {
        return std::string(name);
    }
    const auto candidates = ids_ending_in(name, known_ids);
    if (candidates.size() != 1) {
        return std::nullopt;
    }
    return candidates.front();
}

Diagnostic explain_unresolved(std::string_view name,
                              const std::vector<std::string>& known_ids,
                              const Location& where) {
    const auto candidates = ids_ending_in(name, known_ids);
    Diagnostic diagnostic =
        candidates.size() > 1 ? ambiguous(name, candidates) : unknown(name, known_ids);
    diagnostic.location = where;
    return diagnostic;
}

}  // namespace topress::config
