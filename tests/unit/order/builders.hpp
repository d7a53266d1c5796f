// Short ways to write techniques, instances and edges in the tests of core/order.
#pragma once

#include "order/order.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace topress::order::testing {

using topress::Diagnostic;
using topress::Diagnostics;

inline Provenance from_plugin(const std::string& plugin, int line = 1) {
    return {Origin::Plugin, plugin, plugin + "/plugin.toml", line, 1};
}

inline Provenance from_user(int line = 1) {
    return {Origin::UserConfig, "configuration", "run.toml", line, 1};
}

inline TechniqueInfo technique(const std::string& id,
                               const std::string& kind = "static",
                               const std::string& granularity = "") {
    TechniqueInfo info;
    info.id = id;
    info.kind = kind;
    info.granularity = granularity;
    info.where = from_plugin("org." + id);
    return info;
}

inline Relation relation(const std::string& target,
                         Strength strength,
                         const std::string& declared_by = "org.somebody",
                         const std::string& reason = "it works better") {
    return {target, strength, reason, "", from_plugin(declared_by)};
}

inline Relation user_relation(const std::string& target, Strength strength = Strength::Soft) {
    return {target, strength, "the user says so", "", from_user()};
}

inline DeclaredEdge user_edge(const std::string& before,
                              const std::string& after,
                              Strength strength = Strength::Soft,
                              int line = 1) {
    return {before, after, strength, "the user says so", "", from_user(line)};
}

inline DeclaredEdge edge_of(Origin origin,
                            const std::string& before,
                            const std::string& after,
                            Strength strength = Strength::Soft) {
    return {before, after, strength, "because", "", {origin, "somebody", "file.toml", 1, 1}};
}

/// An instance whose label is the technique's id.
inline Instance instance(const std::string& technique_id) {
    return {technique_id, technique_id, from_user(), {}, {}};
}

inline Instance instance(const std::string& label, const std::string& technique_id) {
    return {label, technique_id, from_user(), {}, {}};
}

/// Techniques with these ids, all of them known and selected, without any relation.
inline Request plain(const std::vector<std::string>& ids) {
    Request request;
    for (const std::string& id : ids) {
        request.known.push_back(technique(id));
        request.selected.push_back(instance(id));
    }
    return request;
}

inline std::vector<Diagnostic> with_code(const Diagnostics& diagnostics, const std::string& code) {
    std::vector<Diagnostic> found;
    std::copy_if(diagnostics.begin(),
                 diagnostics.end(),
                 std::back_inserter(found),
                 [&](const Diagnostic& diagnostic) { return diagnostic.code == code; });
    return found;
}

/// The diagnostics thrown by derive_order; empty if it succeeds.
inline Diagnostics failure(const Request& request) {
    try {
        static_cast<void>(derive_order(request));
    } catch (const DiagnosticError& error) {
        return error.diagnostics();
    }
    return {};
}

inline const Edge* find_edge(const Order& order,
                             const std::string& before,
                             const std::string& after) {
    const auto found = std::find_if(order.edges.begin(), order.edges.end(), [&](const Edge& edge) {
        return edge.before == before && edge.after == after;
    });
    return found == order.edges.end() ? nullptr : &*found;
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline bool precedes(const Order& order, const std::string& before, const std::string& after) {
    const auto at = [&](const std::string& label) {
        return std::find(order.sequence.begin(), order.sequence.end(), label);
    };
    return at(before) < at(after);
}

/// A file below the source tree.
inline std::filesystem::path source_path(const std::string& relative) {
    const char* root = std::getenv("TOPRESS_TEST_SOURCE_DIR");
    return std::filesystem::path(root == nullptr ? "." : root) / relative;
}

using Names = std::vector<std::string>;

}  // namespace topress::order::testing
