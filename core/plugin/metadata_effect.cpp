// [technique.effect] of plugin.toml: what a technique is expected to do to the cost of a network.
#include "base/suggest.hpp"
#include "plugin/metadata_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace topress::plugin {

namespace {

using config::ParameterSpec;
using config::ParameterType;

constexpr const char* kOwner = "[technique.effect]";
constexpr double kFloatBits = 32;

bool is_number(ParameterType type) {
    return type == ParameterType::Integer || type == ParameterType::Number;
}

/// "8-bit" -> 8; "float" -> 32; "same" -> the bits of all other layers.
std::optional<double> bits_of_word(const std::string& word, std::optional<double> same) {
    if (word == "same") {
        return same;
    }
    if (word == "float") {
        return kFloatBits;
    }
    int bits = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), bits);
    const std::string_view rest(end, static_cast<std::size_t>(word.data() + word.size() - end));
    return failed == std::errc() && rest == "-bit" ? std::optional<double>(bits) : std::nullopt;
}

void check_words(const ParameterSpec& spec, const Location& where, Mistakes& mistakes) {
    for (const std::string& word : spec.values) {
        if (!bits_of_word(word, kFloatBits)) {
            mistakes.add("'" + word + "', a value of '" + spec.name + "', says no number of bits",
                         where,
                         R"(the values must be "same", "float" or "N-bit")");
        }
    }
}

void check_parameter(const std::string& key,
                     const std::string& name,
                     const Location& where,
                     const std::vector<ParameterSpec>& specs,
                     Mistakes& mistakes) {
    const auto found = std::ranges::find(specs, name, &ParameterSpec::name);
    if (found == specs.end()) {
        std::vector<std::string> names;
        std::ranges::transform(specs, std::back_inserter(names), &ParameterSpec::name);
        const auto best = nearest(name, names);
        mistakes.add("'" + name + "' is no parameter of this technique",
                     where,
                     best ? "did you mean '" + *best + "'?" : "name one, or write a number");
        return;
    }
    const bool takes_words =
        key == "first_last_bits" && found->type == ParameterType::String && !found->values.empty();
    if (takes_words) {
        check_words(*found, where, mistakes);
    } else if (!is_number(found->type)) {
        mistakes.add("'" + name + "' is no number, and '" + key + "' needs one",
                     where,
                     "name a parameter of type integer or number");
    }
}

/// The value of one key; a mistake unless it is a number from 0 on or the name of a parameter.
EffectValue read_value(const std::string& key,
                       const config::GivenParameter& given,
                       const std::vector<ParameterSpec>& specs,
                       Mistakes& mistakes) {
    EffectValue value;
    if (const auto* name = std::get_if<std::string>(&given.value)) {
        value.parameter = *name;
        check_parameter(key, *name, given.where, specs, mistakes);
        return value;
    }
    if (const auto* integer = std::get_if<std::int64_t>(&given.value)) {
        value.number = static_cast<double>(*integer);
    } else if (const auto* number = std::get_if<double>(&given.value)) {
        value.number = *number;
    } else {
        value.number = -1;
    }
    if (!std::isfinite(value.number) || value.number < 0) {
        mistakes.add("'" + key + "' in " + kOwner +
                         " is neither a number from 0 on nor the name of a parameter",
                     given.where,
                     "write for example: " + key + " = \"" + key + "\"");
    }
    return value;
}

std::optional<double> number_in(const config::ParameterValue& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return static_cast<double>(*integer);
    }
    const auto* number = std::get_if<double>(&value);
    return number == nullptr ? std::nullopt : std::optional(*number);
}

}  // namespace

std::optional<Effect> read_effect(const config::Tree& tree,
                                  const std::vector<ParameterSpec>& specs,
                                  Mistakes& mistakes) {
    mistakes.check_tables(tree.tables, {}, kOwner);
    mistakes.check_tables(tree.rows, {}, kOwner);
    std::vector<std::string> known;
    std::ranges::transform(effect_keys(), std::back_inserter(known), &ParameterSpec::name);
    Effect effect;
    for (const auto& [key, given] : tree.values) {
        if (std::ranges::find(known, key) == known.end()) {
            const auto best = nearest(key, known);
            mistakes.add("unknown key '" + key + "' in " + kOwner,
                         given.key,
                         best ? "did you mean '" + *best + "'?" : "remove it");
            continue;
        }
        effect.values.emplace(key, read_value(key, given, specs, mistakes));
    }
    return effect;
}

std::optional<double> effect_of(const TechniqueMetadata& technique,
                                const config::Parameters& parameters,
                                const std::string& key,
                                std::optional<double> same) {
    if (!technique.effect) {
        return std::nullopt;
    }
    const auto declared = technique.effect->values.find(key);
    if (declared == technique.effect->values.end()) {
        return std::nullopt;
    }
    const EffectValue& value = declared->second;
    if (value.parameter.empty()) {
        return value.number;
    }
    const auto given = parameters.find(value.parameter);
    if (given == parameters.end()) {
        return std::nullopt;
    }
    if (const auto* word = std::get_if<std::string>(&given->second.value)) {
        return bits_of_word(*word, same);
    }
    return number_in(given->second.value);
}

}  // namespace topress::plugin
