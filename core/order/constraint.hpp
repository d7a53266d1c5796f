// What is declared about order: techniques with their traits, and relations between them with who
// said so, where and why.
#pragma once

#include "base/diagnostic.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::order {

/// Hard relations must hold; soft ones give way when they contradict something stronger.
enum class Strength : std::uint8_t { Hard, Soft };

/// Who asks for a relation. Soft relations are weighed in this order, strongest first. Evidence was
/// measured on the network and data of the run, EvidenceElsewhere on others.
enum class Origin : std::uint8_t { UserConfig, Evidence, Plugin, RuleSet, EvidenceElsewhere };

/// Who declared something, and the place in a file; line 0 means unknown.
struct Provenance {
    Origin origin = Origin::Plugin;
    std::string declared_by;  ///< plugin id, rule set name or "configuration"
    std::string file;
    int line = 0;
    int column = 0;
    int precedence = 0;  ///< of one origin the smaller is the stronger: sets named earlier, clearer
                         ///< measurements
};

/// One end of a relation, as a technique or an instance declares it about somebody else.
struct Relation {
    std::string target;  ///< a reference, see `matches`; for an instance also a label
    Strength strength = Strength::Soft;
    std::string reason;
    std::string source;  ///< paper or page that supports it, may be empty
    Provenance where;
};

/// A relation with both ends, as an `[[order.edge]]` of a configuration or a line of evidence.
struct DeclaredEdge {
    std::string before;  ///< label or reference, see `matches`
    std::string after;
    Strength strength = Strength::Soft;
    std::string reason;
    std::string source;
    Provenance where;
};

/// What an installed technique says about itself.
struct TechniqueInfo {
    std::string id;
    std::string summary;
    std::string kind;  ///< "static" or "dynamic"
    std::string
        granularity;  ///< "architecture", "layer", "channel", "weight", "bit" or the author's own
    int rank = 0;     ///< tie-break only: lower goes first
    std::vector<Relation> before;
    std::vector<Relation> after;
    std::vector<std::string>
        requires_;  ///< references of which one technique each must be selected
    std::vector<std::string> conflicts;  ///< references that must not be selected beside it
    std::vector<std::string> provides;   ///< capabilities, without the prefix "capability:"
    std::vector<std::string> reads;
    std::vector<std::string> writes;
    Provenance where;
    std::vector<std::string> replaces = {};  ///< ids of techniques that it can stand in for
};

/// One technique of the run under its label.
struct Instance {
    std::string label;
    std::string technique;  ///< id of a known technique
    Provenance where;
    std::vector<Relation> before;  ///< targets are labels or references
    std::vector<Relation> after;
    std::vector<std::string> reads = {};   ///< what its parameters add to those of the technique
    std::vector<std::string> writes = {};  ///< likewise
    std::optional<double> intensity = {};  ///< how many times fewer BitOps it leaves by itself
};

/// "hard" or "soft".
[[nodiscard]] std::string_view to_string(Strength strength);

/// "configuration", "evidence", "plugin", "rule set" or "evidence elsewhere".
[[nodiscard]] std::string_view to_string(Origin origin);

/// Whether a technique is meant by a reference: its id or one that it replaces, "capability:x",
/// "kind:x" or "granularity:x".
[[nodiscard]] bool matches(std::string_view reference, const TechniqueInfo& technique);

/// Whether a reference has one of the prefixes "capability:", "kind:" or "granularity:".
[[nodiscard]] bool is_trait(std::string_view reference);

/// The two kinds and the five granularities, coarse to fine, as references.
[[nodiscard]] const std::vector<std::string>& known_traits();

/// The place of a declaration, for diagnostics.
[[nodiscard]] Location to_location(const Provenance& where);

/// "declared by the plugin org.example (plugin.toml:3)", without the bracket if the place is
/// unknown; evidence is "measured by".
[[nodiscard]] std::string describe(const Provenance& where);

}  // namespace topress::order
