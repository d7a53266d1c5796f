// Transitive closure of rules over one kind of trait.
#include "order/rules_closure.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace topress::order {

namespace {

/// "kind", "granularity", "capability", or empty for an id.
std::string_view dimension(const std::string& reference) {
    const auto colon = reference.find(':');
    return colon == std::string::npos ? std::string_view{}
                                      : std::string_view(reference).substr(0, colon);
}

bool composes(const Rule& first, const Rule& second) {
    return first.after == second.before && first.among == second.among &&
           dimension(first.before) == dimension(first.after) &&
           dimension(second.before) == dimension(second.after);
}

std::string joined(const std::string& a, const std::string& b) {
    return a == b || b.empty() ? a : a.empty() ? b : a + "; " + b;
}

Rule compose(const Rule& first, const Rule& second) {
    return {first.before,
            second.after,
            first.among,
            joined(first.reason, second.reason),
            joined(first.source, second.source),
            first.where,
            first.behind_before,
            second.behind_after};
}

bool has_rule(const std::vector<Rule>& rules, const Rule& rule) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& other) {
        return other.before == rule.before && other.after == rule.after &&
               other.among == rule.among;
    });
}

Diagnostic contradiction(const Rule& first, const Rule& second) {
    Diagnostic finding;
    finding.code = "config/contradictory-rules";
    finding.message =
        "the rules put '" + first.before + "' before '" + first.after + "' and the other way round";
    finding.location = to_location(first.where);
    finding.notes.push_back({"the opposite follows from here", to_location(second.where)});
    finding.hint = "remove one of them, or limit each with 'among'";
    return finding;
}

}  // namespace

std::optional<Diagnostic> close_transitively(std::vector<Rule>& rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const bool forward = composes(rules[i], rules[j]);
            if (!forward && !composes(rules[j], rules[i])) {
                continue;
            }
            Rule rule = forward ? compose(rules[i], rules[j]) : compose(rules[j], rules[i]);
            if (rule.before == rule.after) {
                return contradiction(rules[j], rules[i]);
            }
            if (!has_rule(rules, rule)) {
                rules.push_back(std::move(rule));
            }
        }
    }
    return std::nullopt;
}

}  // namespace topress::order
