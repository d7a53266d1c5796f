// RunConfig -> TOML, and equality of settings.
#include "config/run_config.hpp"
#include "config/schema.hpp"

#include <algorithm>

namespace topress::config {

namespace {

bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

std::string key_to_toml(const std::string& key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), is_bare);
    return bare ? key : to_toml(ParameterValue(key));
}

std::string line_of(const std::string& key, const ParameterValue& value) {
    return key_to_toml(key) + " = " + to_toml(value) + "\n";
}

std::string section_to_toml(const Section& section, const RunConfig& config) {
    std::string text = section.name.empty() ? "" : "\n[" + section.name + "]\n";
    for (const Key& key : section.keys) {
        if (const auto value = key.get(config)) {
            text += line_of(key.spec.name, *value);
        }
    }
    return text;
}

std::string edge_to_toml(const UserEdge& edge) {
    return "\n[[order.edge]]\n" + line_of("before", edge.before) + line_of("after", edge.after) +
           line_of("strength", edge.strength) + line_of("reason", edge.reason);
}

std::string setting_to_toml(const ExploreSetting& setting) {
    return "\n[[explore.setting]]\n" + line_of("name", setting.name) +
           line_of("set", setting.overrides);
}

std::string isolation_to_toml(const IsolationConfig& isolation) {
    std::string text;
    if (!isolation.mode.empty()) {
        text += line_of("isolation", isolation.mode);
    }
    if (isolation.timeout_s > 0) {
        text += line_of("timeout_s", isolation.timeout_s);
    }
    if (isolation.memory_limit_mb > 0) {
        text += line_of("memory_limit_mb", std::int64_t{isolation.memory_limit_mb});
    }
    return text;
}

std::string technique_to_toml(const TechniqueEntry& entry) {
    std::string text = "\n[technique." + key_to_toml(entry.label) + "]\n";
    text += line_of("use", entry.use) + isolation_to_toml(entry.isolation);
    if (entry.intensity) {
        text += line_of("intensity", *entry.intensity);
    }
    for (const auto& [name, parameter] : entry.parameters) {
        text += line_of(name, parameter.value);
    }
    return text;
}

bool same_edge(const UserEdge& a, const UserEdge& b) {
    return a.before == b.before && a.after == b.after && a.strength == b.strength &&
           a.reason == b.reason;
}

bool same_setting(const ExploreSetting& a, const ExploreSetting& b) {
    return a.name == b.name && a.overrides == b.overrides;
}

bool same_technique(const TechniqueEntry& a, const TechniqueEntry& b) {
    return a.label == b.label && a.use == b.use && a.isolation == b.isolation &&
           a.intensity == b.intensity && same_values(a.parameters, b.parameters);
}

bool same_keys(const RunConfig& a, const RunConfig& b) {
    for (const Section& section : schema()) {
        for (const Key& key : section.keys) {
            if (key.get(a) != key.get(b)) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

bool same_settings(const RunConfig& a, const RunConfig& b) {
    return same_keys(a, b) &&
           std::equal(a.order.edges.begin(),
                      a.order.edges.end(),
                      b.order.edges.begin(),
                      b.order.edges.end(),
                      same_edge) &&
           std::equal(a.explore.settings.begin(),
                      a.explore.settings.end(),
                      b.explore.settings.begin(),
                      b.explore.settings.end(),
                      same_setting) &&
           std::equal(a.techniques.begin(),
                      a.techniques.end(),
                      b.techniques.begin(),
                      b.techniques.end(),
                      same_technique);
}

std::string to_toml(const RunConfig& config) {
    std::string text;
    for (const Section& section : schema()) {
        text += section_to_toml(section, config);
        if (section.name == "order") {
            for (const UserEdge& edge : config.order.edges) {
                text += edge_to_toml(edge);
            }
        } else if (section.name == "explore") {
            for (const ExploreSetting& setting : config.explore.settings) {
                text += setting_to_toml(setting);
            }
        }
    }
    for (const TechniqueEntry& entry : config.techniques) {
        text += technique_to_toml(entry);
    }
    return text;
}

}  // namespace topress::config
