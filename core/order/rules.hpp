// Rule sets: relations between traits, read from TOML, so that techniques that name nobody find
// their place.
#pragma once

#include "order/constraint.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::order {

/// Every technique meant by `before` goes before every technique meant by `after`; always soft.
struct Rule {
    std::string
        before;  ///< a reference: "kind:static", "granularity:channel", "capability:x", an id
    std::string after;
    std::string among;  ///< if not empty, both techniques must also match this reference
    std::string reason;
    std::string source;
    Provenance where;
    std::vector<std::string> behind_before = {};  ///< later entries of its chain: what fits one of
    std::vector<std::string> behind_after = {};   ///< them is not meant by `before` or `after`
};

/// The figure that `ascending` may name.
inline constexpr const char* kIntensity = "intensity";

/// Techniques go by rising intensity: how many times fewer bit operations one leaves by itself.
struct AscendingRule {
    std::vector<std::string> among;  ///< if any, both techniques must match one of these
    std::string reason;
    std::string source;
    Provenance where;
};

/// A named file of rules.
struct RuleSet {
    std::string name;
    std::string summary;
    std::vector<Rule> rules;
    std::vector<AscendingRule> ascending = {};
};

/// Of two sets that disagree, the one with the smaller number decides.
void set_precedence(RuleSet& set, int precedence);

/// Reads a rule file (format: docs/ordering.md). A chain yields a rule for every earlier and later
/// entry; "a before b" and "b before c" over one kind of trait yield "a before c".
/// Throws: DiagnosticError with every mistake of the file (config/cannot-read, config/syntax,
///         config/unknown-key, config/missing-key, config/wrong-type, config/invalid-value,
///         config/unsupported-schema, config/contradictory-rules), each with file, line, column.
[[nodiscard]] RuleSet load_rules(const std::filesystem::path& path);

}  // namespace topress::order
