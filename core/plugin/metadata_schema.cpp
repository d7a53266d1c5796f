// Tables of keys and the spelling rules of names in plugin.toml.
#include "plugin/metadata_schema.hpp"

#include <topress/metadata.h>

#include <algorithm>
#include <string_view>

namespace topress::plugin {

namespace {

using config::ParameterSpec;
using config::ParameterType;
using config::ParameterValue;
using Strings = std::vector<std::string>;

ParameterSpec required(std::string name, ParameterType type, std::string doc) {
    ParameterSpec spec;
    spec.name = std::move(name);
    spec.type = type;
    spec.doc = std::move(doc);
    return spec;
}

ParameterSpec with_default(std::string name,
                           ParameterType type,
                           ParameterValue value,
                           std::string doc) {
    ParameterSpec spec = required(std::move(name), type, std::move(doc));
    spec.default_value = std::move(value);
    return spec;
}

ParameterSpec choice(std::string name, Strings values, std::string doc) {
    ParameterSpec spec = required(std::move(name), ParameterType::String, std::move(doc));
    spec.values = std::move(values);
    return spec;
}

ParameterSpec choice_or(std::string name, Strings values, std::string otherwise, std::string doc) {
    ParameterSpec spec = choice(std::move(name), std::move(values), std::move(doc));
    spec.default_value = std::move(otherwise);
    return spec;
}

ParameterSpec choice_or_none(std::string name, Strings values, std::string doc) {
    ParameterSpec spec = choice(std::move(name), std::move(values), std::move(doc));
    spec.optional = true;
    return spec;
}

ParameterSpec optional(std::string name, ParameterType type, std::string doc) {
    ParameterSpec spec = required(std::move(name), type, std::move(doc));
    spec.optional = true;
    return spec;
}

ParameterSpec names(std::string name, std::string doc) {
    return with_default(std::move(name), ParameterType::StringList, Strings{}, std::move(doc));
}

ParameterSpec text(std::string name, std::string doc) {
    return with_default(std::move(name), ParameterType::String, std::string(), std::move(doc));
}

ParameterSpec flag(std::string name, std::string doc) {
    return with_default(std::move(name), ParameterType::Bool, false, std::move(doc));
}

bool is_component(std::string_view text) {
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    return !text.empty() && is_lower(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return is_lower(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
}

bool is_one_of(std::string_view text, const Strings& known) {
    return std::find(known.begin(), known.end(), text) != known.end();
}

}  // namespace

const Specs& document_keys() {
    static const Specs kKeys = {
        required("schema", ParameterType::Integer, "Version of this file's form; 1.")};
    return kKeys;
}

const Specs& plugin_keys() {
    static const Specs kKeys = {
        required("id", ParameterType::String, "Reverse DNS name, yours alone."),
        text("name", "Shown to people; default: the last part of the id."),
        required("version", ParameterType::String, "Of the plugin."),
        required("license", ParameterType::String, "SPDX identifier."),
        required("summary", ParameterType::String, "One line."),
        names("torch_namespaces", "Names of its TORCH_LIBRARY blocks."),
    };
    return kKeys;
}

const Specs& technique_keys() {
    static const Specs kKeys = {
        required("id", ParameterType::String, "Name used in configurations."),
        required("summary", ParameterType::String, "One line."),
        choice("kind", {TOPRESS_KINDS}, "Static changes the network, dynamic its execution."),
        choice("granularity", {TOPRESS_GRANULARITIES}, "The unit it removes or changes."),
        with_default("rank", ParameterType::Integer, std::int64_t{0}, "Tie-break only."),
        names("reads", "Resources it depends on."),
        names("writes", "Resources it changes; checked by the host."),
        names("requires", "Techniques or traits that must be selected too."),
        names("conflicts", "Techniques or traits that must not be selected."),
        names("provides", "Capabilities others can refer to."),
        names("replaces", "Techniques it can stand in for: what is said of them holds for it."),
        choice_or("determinism", {TOPRESS_DETERMINISM}, "bit-exact", "Same inputs, same bits?"),
        choice_or_none("isolation", {TOPRESS_ISOLATIONS}, "Where it runs by default."),
        flag("recalibrates", "Applied again, to re-tune what it made, after each later stage."),
    };
    return kKeys;
}

const Specs& needs_keys() {
    static const Specs kKeys = {
        flag("training_data", "Reads training batches."),
        flag("labels", "Uses their labels."),
        flag("teacher", "Uses the original network."),
        choice_or("cuda", {"none", "optional", "required"}, "none", "Graphics processor."),
    };
    return kKeys;
}

const Specs& effect_keys() {
    static const Specs kKeys = {
        optional("macs_ratio", ParameterType::Number, "MACs it leaves, as a share; 0: not known."),
        optional("architecture_depth", ParameterType::Number, "Swaps in this depth; 0: as it is."),
        optional("architecture_width", ParameterType::Number, "Swaps in this width; 0: as it is."),
        optional("weight_bits", ParameterType::Number, "Bits of weights afterwards."),
        optional("activation_bits", ParameterType::Number, "Bits of activations afterwards."),
        optional("first_last_bits",
                 ParameterType::Number,
                 "Bits of the first and last layer; a parameter may say same, float or N-bit."),
        optional("epochs", ParameterType::Number, "How long it trains."),
        optional("channel_multiple",
                 ParameterType::Number,
                 "Channels that it leaves are multiples of this."),
    };
    return kKeys;
}

const Specs& relation_keys() {
    static const Specs kKeys = {
        required(
            "target", ParameterType::String, "Technique id, capability:, kind:, granularity:."),
        choice_or("strength", {"hard", "soft"}, "soft", "Hard must hold."),
        required("reason", ParameterType::String, "Shown in the plan."),
        text("source", "Paper or page."),
    };
    return kKeys;
}

const Specs& when_keys() {
    static const Specs kKeys = {
        names("reads", "Resources it also depends on then."),
        names("writes", "Resources it also changes then."),
    };
    return kKeys;
}

const Specs& condition_keys() {
    static const Specs kKeys = {
        required("parameter", ParameterType::String, "A parameter of the same technique.")};
    return kKeys;
}

const Specs& parameter_keys() {
    static const Specs kKeys = {
        choice("type", parameter_type_names(), "Of the value."),
        flag("optional", "May stay absent, without a default."),
        flag("file", "A string: the path of a file, relative to the configuration."),
        optional("minimum", ParameterType::Number, "Inclusive."),
        optional("maximum", ParameterType::Number, "Inclusive."),
        names("values", "Accepted strings; default: any."),
        text("unit", "Shown in messages."),
        required("doc", ParameterType::String, "One sentence."),
    };
    return kKeys;
}

const std::vector<std::string>& parameter_type_names() {
    static const Strings kNames = {
        "bool", "integer", "number", "string", "integer-list", "number-list", "string-list"};
    return kNames;
}

const std::vector<std::string>& known_resources() {
    static const Strings kNames = {TOPRESS_RESOURCES};
    return kNames;
}

bool is_identifier(const std::string& text, std::size_t least_components) {
    std::size_t components = 0;
    std::string_view rest = text;
    while (true) {
        const std::size_t dot = rest.find('.');
        if (!is_component(rest.substr(0, dot))) {
            return false;
        }
        ++components;
        if (dot == std::string_view::npos) {
            return components >= least_components;
        }
        rest.remove_prefix(dot + 1);
    }
}

bool is_resource(const std::string& name) {
    const std::string_view prefix = TOPRESS_RESOURCE_PREFIX;
    return is_one_of(name, known_resources()) ||
           (name.starts_with(prefix) && is_component(name.substr(prefix.size())));
}

bool is_torch_namespace(const std::string& name) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return is_letter(c) || (c >= '0' && c <= '9');
           });
}

bool is_reference(const std::string& target) {
    const auto rest_after = [&](std::string_view prefix) {
        return target.starts_with(prefix) ? target.substr(prefix.size()) : std::string();
    };
    if (target.find(':') == std::string::npos) {
        return is_identifier(target, 1);
    }
    return is_one_of(rest_after(TOPRESS_REFERENCE_KIND), {TOPRESS_KINDS}) ||
           is_one_of(rest_after(TOPRESS_REFERENCE_GRANULARITY), {TOPRESS_GRANULARITIES}) ||
           is_identifier(rest_after(TOPRESS_REFERENCE_CAPABILITY), 1);
}

}  // namespace topress::plugin
