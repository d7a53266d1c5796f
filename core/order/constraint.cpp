// Names and matching of what is declared about order.
#include "order/constraint.hpp"

#include <algorithm>
#include <filesystem>

namespace topress::order {

namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

/// The part after `prefix`, or an empty view if the reference has another prefix.
std::string_view value_after(std::string_view reference, std::string_view prefix) {
    return starts_with(reference, prefix) ? reference.substr(prefix.size()) : std::string_view{};
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string declarer(const Provenance& where) {
    switch (where.origin) {
        case Origin::UserConfig:
            return "the configuration";
        case Origin::Evidence:
            return "the evidence " + where.declared_by;
        case Origin::EvidenceElsewhere:
            return "the evidence " + where.declared_by + " from elsewhere";
        case Origin::Plugin:
            return "the plugin " + where.declared_by;
        case Origin::RuleSet:
            break;
    }
    return "the rule set " + where.declared_by;
}

}  // namespace

std::string_view to_string(Strength strength) {
    return strength == Strength::Hard ? "hard" : "soft";
}

std::string_view to_string(Origin origin) {
    switch (origin) {
        case Origin::UserConfig:
            return "configuration";
        case Origin::Evidence:
            return "evidence";
        case Origin::Plugin:
            return "plugin";
        case Origin::EvidenceElsewhere:
            return "evidence elsewhere";
        case Origin::RuleSet:
            break;
    }
    return "rule set";
}

bool is_trait(std::string_view reference) {
    return starts_with(reference, "capability:") || starts_with(reference, "kind:") ||
           starts_with(reference, "granularity:");
}

bool matches(std::string_view reference, const TechniqueInfo& technique) {
    if (!is_trait(reference)) {
        return reference == technique.id || contains(technique.replaces, reference);
    }
    if (const auto kind = value_after(reference, "kind:"); !kind.empty()) {
        return kind == technique.kind;
    }
    if (const auto grain = value_after(reference, "granularity:"); !grain.empty()) {
        return grain == technique.granularity;
    }
    return contains(technique.provides, value_after(reference, "capability:"));
}

const std::vector<std::string>& known_traits() {
    static const std::vector<std::string> kTraits = {"kind:static",
                                                     "kind:dynamic",
                                                     "granularity:architecture",
                                                     "granularity:layer",
                                                     "granularity:channel",
                                                     "granularity:weight",
                                                     "granularity:bit"};
    return kTraits;
}

Location to_location(const Provenance& where) {
    return Location{where.file, where.line, where.column, 0};
}

std::string describe(const Provenance& where) {
    const bool measured =
        where.origin == Origin::Evidence || where.origin == Origin::EvidenceElsewhere;
    std::string text = (measured ? "measured by " : "declared by ") + declarer(where);
    if (where.file.empty()) {
        return text;
    }
    // Rule sets and evidence are known by name: where they are installed would only make the line
    // longer.
    const bool named = measured || where.origin == Origin::RuleSet;
    text += " (" + (named ? std::filesystem::path(where.file).filename().string() : where.file);
    if (where.line > 0) {
        text.append(":").append(std::to_string(where.line));
    }
    return text + ")";
}

}  // namespace topress::order
