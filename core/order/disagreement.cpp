// Rules against measurements, rule sets against rule sets.
#include "order/disagreement.hpp"

#include "order/cycle.hpp"
#include "order/explain.hpp"

#include <algorithm>

namespace topress::order {

namespace {

/// The candidate of in-scope evidence that turns `rule` around, or null.
const Candidate* opposing_evidence(const std::vector<Candidate>& candidates,
                                   const Candidate& rule) {
    const auto found =
        std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
            return candidate.from == rule.to && candidate.to == rule.from &&
                   candidate.edge.where.origin == Origin::Evidence &&
                   candidate.edge.through.empty();
        });
    return found == candidates.end() ? nullptr : &*found;
}

}  // namespace

bool is_contradicted(const std::vector<Candidate>& candidates, const Candidate& rule) {
    return rule.edge.where.origin == Origin::RuleSet &&
           opposing_evidence(candidates, rule) != nullptr;
}

std::vector<Contradiction> find_contradictions(const std::vector<Candidate>& candidates,
                                               const std::vector<MeasuredPair>& pairs) {
    std::vector<Contradiction> found;
    for (const Candidate& candidate : candidates) {
        if (candidate.edge.where.origin != Origin::RuleSet) {
            continue;
        }
        const Candidate* evidence = opposing_evidence(candidates, candidate);
        if (evidence == nullptr) {
            continue;
        }
        const auto pair =
            std::find_if(pairs.begin(), pairs.end(), [&](const MeasuredPair& measured) {
                return measured.in_scope && measured.decided &&
                       describe(measured) == evidence->edge.reason &&
                       measured.where.file == evidence->edge.where.file &&
                       measured.where.line == evidence->edge.where.line;
            });
        if (pair != pairs.end()) {
            found.push_back({candidate.edge, evidence->edge, *pair});
        }
    }
    return found;
}

Diagnostics report_contradictions(const std::vector<Contradiction>& contradictions) {
    Diagnostics findings;
    for (const Contradiction& each : contradictions) {
        Diagnostic finding;
        finding.severity = Severity::Warning;
        finding.code = "order/rule-contradicted";
        finding.message = "the rule '" + each.rule.before + " before " + each.rule.after +
                          "' of the rule set " + each.rule.where.declared_by +
                          " contradicts what was measured";
        finding.location = to_location(each.rule.where);
        std::vector<Step> steps = each.rule.steps;
        steps.insert(steps.end(), each.evidence.steps.begin(), each.evidence.steps.end());
        finding.notes = to_notes(steps);
        finding.hint = each.rule.used
                           ? "something stronger keeps the rule; see the relations of the plan"
                           : "the measurement decides here; an [[order.edge]] would outweigh it";
        findings.push_back(std::move(finding));
    }
    return findings;
}

std::string deciding_set(const Edge& skipped, const std::vector<Step>& opposing) {
    if (skipped.where.origin != Origin::RuleSet) {
        return {};
    }
    std::string other;
    for (const Step& step : opposing) {
        if (step.where.origin != Origin::RuleSet || step.strength == Strength::Hard) {
            return {};
        }
        if (step.where.declared_by != skipped.where.declared_by) {
            other = step.where.declared_by;
        }
    }
    return other;
}

}  // namespace topress::order
