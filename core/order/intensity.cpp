// Weaker first: relations between instances by what each compresses by itself.
#include "order/figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

namespace topress::order {

namespace {

/// How strong an instance is, and who says so.
struct Intensity {
    const Node* node = nullptr;
    double value = 1;
    bool is_measured = false;
};

/// The geometric mean of what was measured, where the run takes place if anything was.
std::optional<double> measured_intensity(const Request& request, const TechniqueInfo& technique) {
    for (const bool in_scope : {true, false}) {
        double logarithms = 0;
        int count = 0;
        for (const Evidence& file : request.evidence) {
            for (const IntensityMeasurement& each : file.intensities) {
                if (covers(file.scope, request.scope) == in_scope &&
                    matches(each.technique, technique)) {
                    logarithms += std::log(each.bitops_ratio);
                    ++count;
                }
            }
        }
        if (count > 0) {
            return std::exp(logarithms / count);
        }
    }
    return std::nullopt;
}

std::optional<Intensity> intensity_of(const Request& request, const Node& node) {
    if (node.instance->intensity) {
        return Intensity{&node, *node.instance->intensity, false};
    }
    const auto measured = measured_intensity(request, *node.technique);
    return measured ? std::optional(Intensity{&node, *measured, true}) : std::nullopt;
}

bool is_among(const AscendingRule& rule, const Node& node) {
    return rule.among.empty() ||
           std::any_of(rule.among.begin(), rule.among.end(), [&](const std::string& reference) {
               return matches(reference, *node.technique);
           });
}

std::string text_of(const Intensity& intensity) {
    char text[48];
    std::snprintf(text,
                  sizeof text,
                  "%.4gx, %s",
                  intensity.value,
                  intensity.is_measured ? "measured" : "configured");
    return intensity.node->name + " " + text;
}

Diagnostic no_intensity(const Node& node, const AscendingRule& rule) {
    Diagnostic finding;
    finding.severity = Severity::Info;
    finding.code = "order/no-intensity";
    finding.message = "'" + node.name + "' has no intensity, so the rule set '" +
                      rule.where.declared_by + "' says nothing about it";
    finding.location = to_location(node.instance->where);
    finding.notes.push_back({describe(rule.where), {}});
    finding.hint =
        "write intensity = N in its table (how many times fewer BitOps it leaves by "
        "itself), or name evidence with an [[intensity]] of it";
    return finding;
}

void add_edges(const AscendingRule& rule,
               const std::vector<Intensity>& intensities,
               std::vector<DeclaredEdge>& edges) {
    for (const Intensity& weaker : intensities) {
        for (const Intensity& stronger : intensities) {
            if (weaker.value < stronger.value) {
                edges.push_back(
                    {weaker.node->name,
                     stronger.node->name,
                     Strength::Soft,
                     rule.reason + " (" + text_of(weaker) + "; " + text_of(stronger) + ")",
                     rule.source,
                     rule.where});
            }
        }
    }
}

}  // namespace

std::vector<DeclaredEdge> order_by_intensity(const Request& request,
                                             const Nodes& nodes,
                                             Diagnostics& findings) {
    std::vector<DeclaredEdge> edges;
    for (const RuleSet& set : request.rules) {
        for (const AscendingRule& rule : set.ascending) {
            std::vector<Intensity> intensities;
            for (NodeIndex i = 0; i < nodes.selected; ++i) {
                const Node& node = nodes.all[i];
                if (!is_among(rule, node)) {
                    continue;
                }
                if (const auto intensity = intensity_of(request, node)) {
                    intensities.push_back(*intensity);
                } else {
                    findings.push_back(no_intensity(node, rule));
                }
            }
            add_edges(rule, intensities, edges);
        }
    }
    return edges;
}

}  // namespace topress::order
