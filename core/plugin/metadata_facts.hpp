// What a page says about a technique, sentence by sentence, before any layout. For this folder.
#pragma once

#include "plugin/metadata.hpp"

#include <functional>
#include <string>
#include <vector>

namespace topress::plugin {

/// "reads": "`topology`, `weights`".
struct Fact {
    std::string name;
    std::string text;  ///< Markdown: code in backticks
};

/// Of the plugin: version, licence, namespaces.
[[nodiscard]] std::vector<Fact> facts_of(const PluginMetadata& plugin);

/// Of a technique: traits, resources, presence, needs, determinism, isolation; lists that are empty
/// and say nothing are left out.
[[nodiscard]] std::vector<Fact> facts_of(const TechniqueMetadata& technique);

/// "before `kind:dynamic` (soft): exits see the final body [arXiv 1234.56789]".
[[nodiscard]] std::vector<std::string> relations_of(const TechniqueMetadata& technique);

/// Said where a technique declares no relation.
[[nodiscard]] std::string no_relations();

}  // namespace topress::plugin
