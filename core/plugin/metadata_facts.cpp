// Metadata -> sentences.
#include "plugin/metadata_facts.hpp"

#include <sstream>

namespace topress::plugin {

namespace {

std::string code(const std::string& text) {
    return std::string("`") + text + "`";
}

std::string codes(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + code(name);
    }
    return text;
}

void add(std::string& text, const std::string& part, const char* separator) {
    if (!part.empty()) {
        text += (text.empty() ? "" : separator) + part;
    }
}

using Resources = std::vector<std::string> ConditionalUse::*;

// "`weights`; `exits` when `mode is "x"`"
std::string resources(const TechniqueMetadata& technique,
                      const std::vector<std::string>& always,
                      Resources conditional) {
    std::string text = codes(always);
    for (const ConditionalUse& use : technique.conditional) {
        const std::vector<std::string>& names = use.*conditional;
        if (!names.empty()) {
            add(text, codes(names) + " when " + code(config::to_text(use.when)), "; ");
        }
    }
    return text.empty() ? "nothing" : text;
}

std::string needs_text(const Needs& needs) {
    std::string text;
    add(text, needs.training_data ? "training data" : "", ", ");
    add(text, needs.labels ? "labels" : "", ", ");
    add(text, needs.teacher ? "the original network" : "", ", ");
    add(text, needs.cuda == Need::Required ? "a CUDA device" : "", ", ");
    text = text.empty() ? "nothing" : text;
    return needs.cuda == Need::Optional ? text + "; faster with a CUDA device" : text;
}

std::string determinism_text(const std::string& determinism) {
    if (determinism == "bit-exact") {
        return code(determinism) + ": same inputs, same bytes";
    }
    if (determinism == "same-device") {
        return code(determinism) + ": same inputs on the same kind of device, same bytes";
    }
    return code(determinism) + ": results may differ from run to run";
}

std::string isolation_text(const std::string& isolation) {
    if (isolation.empty()) {
        return "not declared: in the host's process if bundled, else in one of its own";
    }
    return code(isolation) +
           (isolation == "process" ? ": in a process of its own" : ": inside the host's process");
}

std::string given_text(const EffectValue& value) {
    if (!value.parameter.empty()) {
        return value.parameter;
    }
    std::ostringstream number;
    number << value.number;
    return number.str();
}

std::string effect_text(const std::optional<Effect>& effect) {
    if (!effect) {
        return "not declared: a plan shows its cost as unknown";
    }
    std::string text;
    for (const auto& [key, value] : effect->values) {
        add(text, code(key + " = " + given_text(value)), ", ");
    }
    return text.empty() ? "none on the cost" : text;
}

std::string relation_text(const char* direction, const MetadataRelation& relation) {
    std::string text = std::string(direction) + " " + code(relation.target) +
                       (relation.is_hard ? " (hard): " : " (soft): ") + relation.reason;
    return relation.source.empty() ? text : text + " [" + relation.source + "]";
}

}  // namespace

std::vector<Fact> facts_of(const PluginMetadata& plugin) {
    std::vector<Fact> facts = {
        {"plugin", code(plugin.id)}, {"version", plugin.version}, {"licence", plugin.license}};
    std::vector<std::string> ids;
    for (const TechniqueMetadata& technique : plugin.techniques) {
        ids.push_back(technique.id);
    }
    facts.push_back({"techniques", codes(ids)});
    if (!plugin.torch_namespaces.empty()) {
        facts.push_back({"namespaces", codes(plugin.torch_namespaces)});
    }
    return facts;
}

std::vector<Fact> facts_of(const TechniqueMetadata& technique) {
    std::vector<Fact> facts = {
        {"kind", technique.kind},
        {"granularity", technique.granularity},
        {"reads", resources(technique, technique.reads, &ConditionalUse::reads)},
        {"writes", resources(technique, technique.writes, &ConditionalUse::writes)},
    };
    const auto add_names = [&](const char* name, const std::vector<std::string>& names) {
        if (!names.empty()) {
            facts.push_back({name, codes(names)});
        }
    };
    add_names("requires", technique.requires_);
    add_names("conflicts", technique.conflicts);
    add_names("provides", technique.provides);
    add_names("replaces", technique.replaces);
    if (technique.rank != 0) {
        facts.push_back({"rank", std::to_string(technique.rank)});
    }
    if (technique.recalibrates) {
        facts.push_back({"applied again", "after every later stage, to re-tune what it made"});
    }
    facts.push_back({"needs", needs_text(technique.needs)});
    facts.push_back({"effect", effect_text(technique.effect)});
    facts.push_back({"determinism", determinism_text(technique.determinism)});
    facts.push_back({"isolation", isolation_text(technique.isolation)});
    return facts;
}

std::vector<std::string> relations_of(const TechniqueMetadata& technique) {
    std::vector<std::string> texts;
    for (const MetadataRelation& relation : technique.before) {
        texts.push_back(relation_text("before", relation));
    }
    for (const MetadataRelation& relation : technique.after) {
        texts.push_back(relation_text("after", relation));
    }
    return texts;
}

std::string no_relations() {
    return "It names no other technique: kind and granularity place it, through the rule sets.";
}

}  // namespace topress::plugin
