// Evidence files -> measured pairs and the relations they support.
#include "order/explain.hpp"
#include "order/figures.hpp"
#include "order/pooling.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace topress::order {

namespace {

/// Ids of a pair in a fixed sequence, and whether it was measured where the run takes place.
struct PairKey {
    std::string a;
    std::string b;
    bool in_scope = true;

    auto operator<=>(const PairKey&) const = default;
};

struct Found {
    const Evidence* file;
    const PairMeasurement* pair;
};

using Groups = std::map<PairKey, std::vector<Found>>;

/// In the sequence of their places, whatever the sequence of the files.
bool reads_first(const Found& a, const Found& b) {
    const auto key = [](const Found& found) {
        const PairMeasurement& pair = *found.pair;
        return std::tie(pair.where.declared_by,
                        pair.where.file,
                        pair.where.line,
                        pair.difference,
                        pair.low,
                        pair.high);
    };
    return key(a) < key(b);
}

Groups group(const Request& request) {
    Groups groups;
    for (const Evidence& file : request.evidence) {
        for (const PairMeasurement& pair : file.pairs) {
            const auto& [a, b] = std::minmax(pair.before, pair.after);
            groups[{a, b, covers(file.scope, request.scope)}].push_back({&file, &pair});
        }
    }
    for (auto& [key, found] : groups) {
        std::sort(found.begin(), found.end(), reads_first);
    }
    return groups;
}

/// As if every file had measured a before b.
Interval towards(const std::string& a, const PairMeasurement& pair) {
    return pair.before == a ? Interval{pair.difference, pair.low, pair.high}
                            : Interval{-pair.difference, -pair.high, -pair.low};
}

std::string joined(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

/// "resnet8 on fashion-mnist (2 epochs each)" of all files.
std::string places_of(const std::vector<Found>& found) {
    std::set<std::string> places;
    for (const Found& each : found) {
        const Scope& scope = each.file->scope;
        const auto list = [](const std::vector<std::string>& names, const char* none) {
            return names.empty() ? std::string(none) : joined({names.begin(), names.end()});
        };
        places.insert(list(scope.networks, "any network") + " on " +
                      list(scope.datasets, "any data") +
                      (scope.budget.empty() ? "" : " (" + scope.budget + ")"));
    }
    return joined(places);
}

MeasuredPair pooled_pair(const PairKey& key, const std::vector<Found>& found) {
    std::vector<Interval> intervals;
    MeasuredPair result;
    for (const Found& each : found) {
        intervals.push_back(towards(key.a, *each.pair));
        result.seeds += each.pair->seeds;
        result.files.push_back(each.file->name);
    }
    Interval pooled = pool(intervals);
    const bool turned = pooled.mean < 0;
    pooled = turned ? Interval{-pooled.mean, -pooled.high, -pooled.low} : pooled;
    result.before = turned ? key.b : key.a;
    result.after = turned ? key.a : key.b;
    result.difference = pooled.mean;
    result.low = pooled.low;
    result.high = pooled.high;
    result.in_scope = key.in_scope;
    result.decided = excludes_zero(pooled);
    result.place = places_of(found);
    result.where = found.front().pair->where;
    if (!key.in_scope) {
        result.where.origin = Origin::EvidenceElsewhere;
    }
    return result;
}

bool is_selected(const Nodes& nodes, const std::string& id) {
    return std::any_of(nodes.all.begin(), nodes.all.end(), [&](const Node& node) {
        return node.instance != nullptr && matches(id, *node.technique);
    });
}

double clarity_of(const MeasuredPair& pair) {
    return clarity({pair.difference, pair.low, pair.high});
}

/// The clearest first; precedence follows the sequence.
std::vector<Rule> to_rules(std::vector<MeasuredPair> decided) {
    std::stable_sort(decided.begin(), decided.end(), [](const auto& a, const auto& b) {
        return clarity_of(a) > clarity_of(b);
    });
    std::vector<Rule> rules;
    for (const MeasuredPair& pair : decided) {
        Rule rule{pair.before, pair.after, "", describe(pair), pair.place, pair.where};
        rule.where.precedence = static_cast<int>(rules.size());
        rules.push_back(std::move(rule));
    }
    return rules;
}

}  // namespace

std::string describe(const MeasuredPair& pair) {
    const auto points = [](double accuracy) {
        char text[32];
        std::snprintf(text, sizeof text, "%.2f", 100 * accuracy + 0.0);
        return std::string(text);
    };
    return "measured, accuracy at equal BitOps is " + points(pair.difference) +
           " pp higher this way round (95 % interval " + points(pair.low) + " to " +
           points(pair.high) + ", " + std::to_string(pair.seeds) + " seeds" +
           (pair.files.size() > 1 ? ", " + std::to_string(pair.files.size()) + " files" : "") + ")";
}

Measured weigh_evidence(const Request& request, const Nodes& nodes) {
    Measured measured;
    std::vector<MeasuredPair> decided;
    for (const auto& [key, found] : group(request)) {
        const MeasuredPair pair = pooled_pair(key, found);
        if (pair.decided) {
            decided.push_back(pair);
        }
        if (is_selected(nodes, key.a) && is_selected(nodes, key.b)) {
            measured.pairs.push_back(pair);
        }
    }
    measured.rules = to_rules(std::move(decided));
    return measured;
}

Diagnostics report_undecided(const std::vector<MeasuredPair>& pairs) {
    Diagnostics findings;
    for (const MeasuredPair& pair : pairs) {
        if (pair.decided || !pair.in_scope) {
            continue;
        }
        Diagnostic finding;
        finding.severity = Severity::Info;
        finding.code = "order/evidence-undecided";
        finding.message =
            "the measurements do not decide between '" + pair.before + "' and '" + pair.after + "'";
        finding.location = to_location(pair.where);
        finding.notes.push_back({describe(pair), {}});
        finding.hint = "the interval covers zero: measure with more seeds if it matters";
        findings.push_back(std::move(finding));
    }
    return findings;
}

}  // namespace topress::order
