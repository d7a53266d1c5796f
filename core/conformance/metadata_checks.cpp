// Checks on what the plugin says about itself, and whether it is true of the table it offers.
#include "base/error.hpp"
#include "base/suggest.hpp"
#include "conformance/check.hpp"
#include "conformance/host_observer.hpp"
#include "conformance/subject.hpp"
#include "plugin/note.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace topress::conformance {
namespace {

using plugin::MetadataRelation;
using plugin::TechniqueMetadata;

Outcome check_parses(Subject& subject) {
    const plugin::CatalogEntry& entry = subject.entry();
    if (entry.metadata) {
        return passed(entry.metadata->id + " " + entry.metadata->version + ", " +
                      std::to_string(entry.metadata->techniques.size()) + " techniques");
    }
    const auto reading = plugin::read_notes(subject.file());
    if (!reading.notes) {
        return skipped("there is none that could be read");
    }
    Diagnostics mistakes;
    static_cast<void>(plugin::parse_metadata(reading.notes->metadata, "plugin.toml", mistakes));
    Findings findings;
    for (const Diagnostic& mistake : mistakes) {
        findings.fail("plugin.toml:" + std::to_string(mistake.location.line) + ":" +
                      std::to_string(mistake.location.column) + ": " + mistake.message);
    }
    return findings.outcome("no mistake");
}

Outcome check_ids(Subject& subject) {
    std::set<std::string> taken;
    for (const plugin::CatalogEntry& entry : subject.bundled()) {
        for (const TechniqueMetadata& technique : entry.metadata->techniques) {
            taken.insert(technique.id);
        }
    }
    Findings findings;
    std::set<std::string> own;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        if (!own.insert(technique.id).second) {
            findings.fail("the technique '" + technique.id + "' is there twice");
        }
        if (taken.contains(technique.id)) {
            findings.fail("the technique '" + technique.id +
                          "' is one of a bundled plugin: it would be refused beside it");
        }
    }
    return findings.outcome("unique, and none of a bundled plugin");
}

void check_technique_texts(const TechniqueMetadata& technique, Findings& findings) {
    if (technique.summary.empty()) {
        findings.warn("'" + technique.id + "' has no summary");
    }
    for (const config::ParameterSpec& spec : technique.parameters) {
        if (spec.doc.empty()) {
            findings.warn("parameter '" + spec.name + "' of '" + technique.id + "' has no doc");
        }
    }
    for (const auto* relations : {&technique.before, &technique.after}) {
        for (const MetadataRelation& relation : *relations) {
            if (relation.reason.empty()) {
                findings.warn("the relation of '" + technique.id + "' to '" + relation.target +
                              "' has no reason");
            }
        }
    }
}

Outcome check_documented(Subject& subject) {
    Findings findings;
    if (subject.entry().metadata->summary.empty()) {
        findings.warn("the plugin has no summary");
    }
    for (const TechniqueMetadata& technique : subject.techniques()) {
        check_technique_texts(technique, findings);
    }
    return findings.outcome("every technique, parameter and relation says what it is");
}

Outcome check_licence(Subject& subject) {
    Findings findings;
    const std::string& licence = subject.entry().metadata->license;
    const bool is_spdx = std::all_of(licence.begin(), licence.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view(" .-+()").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (licence.empty()) {
        findings.warn("no licence is named: nobody may use it");
    } else if (!is_spdx) {
        findings.warn("'" + licence + "' is no SPDX expression, such as Apache-2.0");
    }
    return findings.outcome(licence);
}

Outcome check_version(Subject& subject) {
    const std::string& version = subject.entry().metadata->version;
    Findings findings;
    const std::string core = version.substr(0, version.find_first_of("-+"));
    const bool is_numeric = core.find_first_not_of("0123456789.") == std::string::npos;
    if (!is_numeric || std::count(core.begin(), core.end(), '.') != 2) {
        findings.warn("'" + version + "' is not MAJOR.MINOR.PATCH");
    }
    return findings.outcome(version);
}

/// Ids and capabilities that exist beside this plugin or in it.
std::vector<std::string> known_targets(const Subject& subject) {
    std::vector<std::string> known;
    const auto add = [&known](const TechniqueMetadata& technique) {
        known.push_back(technique.id);
        for (const std::string& capability : technique.provides) {
            known.push_back("capability:" + capability);
            known.push_back(capability);
        }
    };
    for (const plugin::CatalogEntry& entry : subject.bundled()) {
        std::for_each(entry.metadata->techniques.begin(), entry.metadata->techniques.end(), add);
    }
    std::for_each(subject.techniques().begin(), subject.techniques().end(), add);
    return known;
}

void check_target(const std::string& target,
                  const std::vector<std::string>& known,
                  Findings& findings) {
    constexpr double kProbablyMistyped = 0.8;
    const bool is_class = target.starts_with("kind:") || target.starts_with("granularity:");
    if (is_class || std::find(known.begin(), known.end(), target) != known.end()) {
        return;
    }
    if (const auto close = nearest(target, known, kProbablyMistyped)) {
        findings.warn("'" + target + "' is not known here: did you mean '" + *close + "'?");
    } else {
        findings.note("'" + target + "' is not installed here");
    }
}

Outcome check_relations(Subject& subject) {
    const std::vector<std::string> known = known_targets(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        for (const auto* relations : {&technique.before, &technique.after}) {
            for (const MetadataRelation& relation : *relations) {
                check_target(relation.target, known, findings);
            }
        }
        for (const auto* references : {&technique.requires_, &technique.conflicts}) {
            for (const std::string& target : *references) {
                check_target(target, known, findings);
            }
        }
    }
    return findings.outcome("no name looks mistyped");
}

/// Of a default, or of one end of a range.
Diagnostics validate(const config::ParameterSpec& spec, const config::ParameterValue& value) {
    return config::validate_parameters({{spec.name, {value, {}, {}}}}, {spec}, "the parameters");
}

Outcome check_defaults(Subject& subject) {
    Findings findings;
    std::size_t count = 0;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        for (const config::ParameterSpec& spec : technique.parameters) {
            ++count;
            if (!spec.default_value) {
                continue;
            }
            for (const Diagnostic& mistake : validate(spec, *spec.default_value)) {
                findings.fail("the default of '" + spec.name + "': " + mistake.message);
            }
        }
    }
    return findings.outcome(std::to_string(count) + " parameters, every default is allowed");
}

Outcome check_constructible(Subject& subject) {
    const topress_techniques_v1& table = subject.library().techniques();
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        try {
            const plugin::TechniqueObject object(table, technique.id);
        } catch (const Error& error) {
            findings.fail(std::string(error.what()) +
                          ": it is in plugin.toml, so the plugin must "
                          "offer it");
        }
    }
    return findings.outcome("every technique of plugin.toml can be made");
}

Outcome check_unknown_technique(Subject& subject) {
    const topress_techniques_v1& table = subject.library().techniques();
    topress_error error{};
    error.struct_size = sizeof error;
    topress_technique* object = nullptr;
    const topress_status status = table.create("no.such-technique", &object, &error);
    if (status == TOPRESS_OK) {
        return failed("create(\"no.such-technique\") succeeded");
    }
    Findings findings;
    if (status != TOPRESS_ERROR_NOT_FOUND) {
        findings.warn("the status is " + std::to_string(status) + ", not NOT_FOUND");
    }
    if (error.message[0] == '\0') {
        findings.warn("the error has no message");
    }
    return findings.outcome("refused with a message");
}

}  // namespace

std::vector<Check> metadata_checks() {
    constexpr auto kGroup = Group::Metadata;
    constexpr auto kLoadable = Requires::Loadable;
    constexpr auto kLoaded = Requires::Loaded;
    return {
        {"metadata-parses", kGroup, Requires::File, "plugin.toml has no mistake.", check_parses},
        {"unique-ids",
         kGroup,
         kLoadable,
         "Its technique ids are unique, also beside the bundled plugins.",
         check_ids},
        {"documented",
         kGroup,
         kLoadable,
         "Techniques, parameters and relations say what they are for.",
         check_documented},
        {"licensed", kGroup, kLoadable, "A licence is named.", check_licence},
        {"semantic-version", kGroup, kLoadable, "Its version has three numbers.", check_version},
        {"known-relations",
         kGroup,
         kLoadable,
         "What it relates to exists, or is at least not mistyped.",
         check_relations},
        {"valid-defaults", kGroup, kLoadable, "Every default is within its range.", check_defaults},
        {"offers-techniques",
         kGroup,
         kLoaded,
         "Every technique of plugin.toml can be made.",
         check_constructible},
        {"unknown-technique",
         kGroup,
         kLoaded,
         "A technique that it does not have is refused.",
         check_unknown_technique},
    };
}

}  // namespace topress::conformance
