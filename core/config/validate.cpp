// Validation of parameters against their schema: every mistake as a located diagnostic.
#include "base/suggest.hpp"
#include "config/parameter.hpp"
#include "config/value_kinds.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace topress::config {

namespace {

constexpr std::size_t kShortListOfKeys = 14;  // longer lists of valid keys are left to the docs

std::string quoted(std::string_view text) {
    return std::string("'").append(text).append("'");
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

// A limit or a value inside a message: 0.5, 4, not 4.0.
std::string plain_number(double value) {
    std::string text = to_toml(ParameterValue(value));
    if (text.ends_with(".0")) {
        text.resize(text.size() - 2);
    }
    return text;
}

// ---- checks of one value ------------------------------------------------------------------------

// Everything a check needs to name the parameter it complains about.
struct Subject {
    const ParameterSpec& spec;
    const GivenParameter& given;
    std::string_view owner;

    [[nodiscard]] std::string title() const {
        return quoted(spec.name) + " in " + std::string(owner);
    }

    [[nodiscard]] Diagnostic error(std::string code, std::string message, std::string hint) const {
        Diagnostic diagnostic;
        diagnostic.code = std::move(code);
        diagnostic.message = std::move(message);
        diagnostic.location = given.where;
        diagnostic.hint = std::move(hint);
        return diagnostic;
    }
};

bool is_accepted(ParameterType wanted, const ParameterValue& value) {
    const ParameterType actual = type_of(value);
    return actual == wanted || (is_list(wanted) && is_empty_list(value)) ||
           (wanted == ParameterType::Number && actual == ParameterType::Integer) ||
           (wanted == ParameterType::NumberList && actual == ParameterType::IntegerList);
}

std::string_view article_of(std::string_view noun) {
    return noun.starts_with('i') ? "an " : "a ";
}

// A value that would be right: the default, a limit, or one of the right type.
std::string example_of(const ParameterSpec& spec) {
    if (spec.default_value) {
        return to_toml(*spec.default_value);
    }
    if (!spec.values.empty()) {
        return spec.type == ParameterType::StringList ? "[\"" + spec.values.front() + "\"]"
                                                      : "\"" + spec.values.front() + "\"";
    }
    const double limit = spec.minimum.value_or(1);
    switch (spec.type) {
        case ParameterType::Bool:
            return "true";
        case ParameterType::Integer:
            return plain_number(std::ceil(limit));
        case ParameterType::Number:
            return to_toml(ParameterValue(limit));
        case ParameterType::String:
            return "\"...\"";
        case ParameterType::IntegerList:
            return "[" + plain_number(std::ceil(limit)) + "]";
        case ParameterType::NumberList:
            return "[" + to_toml(ParameterValue(limit)) + "]";
        case ParameterType::StringList:
            break;
    }
    return "[\"...\"]";
}

// The value the author probably meant, in the right type: "14" -> 14, 64.0 -> 64, "x" -> ["x"].
std::optional<ParameterValue> meant_value(const ParameterValue& value, ParameterType wanted) {
    const auto* text = std::get_if<std::string>(&value);
    const auto* number = std::get_if<double>(&value);
    const bool wants_number = wanted == ParameterType::Integer || wanted == ParameterType::Number;
    if (text != nullptr && wants_number) {
        std::int64_t integer = 0;
        const char* end = text->data() + text->size();
        const auto read = std::from_chars(text->data(), end, integer);
        return read.ec == std::errc() && read.ptr == end ? std::optional<ParameterValue>(integer)
                                                         : std::nullopt;
    }
    if (text != nullptr && wanted == ParameterType::StringList) {
        return std::vector<std::string>{*text};
    }
    if (text != nullptr && wanted == ParameterType::Bool && (*text == "true" || *text == "false")) {
        return *text == "true";
    }
    const bool is_whole =
        number != nullptr && std::abs(*number) < 1e15 && std::trunc(*number) == *number;
    if (is_whole && wanted == ParameterType::Integer) {
        return static_cast<std::int64_t>(*number);
    }
    return std::nullopt;
}

Diagnostic wrong_type(const Subject& subject) {
    const ParameterSpec& spec = subject.spec;
    const ParameterValue& value = subject.given.value;
    const std::string_view wanted = type_name(spec.type);
    const bool has_quotes = std::holds_alternative<std::string>(value);
    const std::string shown = has_quotes ? to_toml(value) : quoted(to_toml(value));
    const auto meant = meant_value(value, spec.type);
    return subject.error("config/wrong-type",
                         subject.title() + " must be " + std::string(article_of(wanted)) +
                             std::string(wanted) + ", found the " +
                             std::string(type_name(type_of(value))) + " " + shown,
                         meant ? "write it like this: " + spec.name + " = " + to_toml(*meant)
                               : "for example: " + spec.name + " = " + example_of(spec));
}

std::string range_of(const ParameterSpec& spec) {
    std::string text;
    if (spec.minimum && spec.maximum) {
        text = plain_number(*spec.minimum) + " to " + plain_number(*spec.maximum);
    } else if (spec.minimum) {
        text = "at least " + plain_number(*spec.minimum);
    } else if (spec.maximum) {
        text = "at most " + plain_number(*spec.maximum);
    } else {
        text = "any finite number";
    }
    return spec.unit.empty() ? text : text + " " + spec.unit;
}

void check_number(const Subject& subject, double value, Diagnostics& found) {
    const ParameterSpec& spec = subject.spec;
    const bool in_range = std::isfinite(value) && value >= spec.minimum.value_or(value) &&
                          value <= spec.maximum.value_or(value);
    if (in_range) {
        return;
    }
    std::string hint = "choose a value in the range";
    if (spec.default_value && !is_list(spec.type)) {
        hint += "; the default is " + to_toml(*spec.default_value);
    }
    found.push_back(subject.error(
        "config/out-of-range",
        subject.title() + " is '" + plain_number(value) + "', accepted: " + range_of(spec),
        std::move(hint)));
}

void check_string(const Subject& subject, const std::string& value, Diagnostics& found) {
    const std::vector<std::string>& values = subject.spec.values;
    if (values.empty() || std::find(values.begin(), values.end(), value) != values.end()) {
        return;
    }
    const auto similar = nearest(value, values);
    found.push_back(
        subject.error("config/invalid-value",
                      quoted(value) + " is no value of " + subject.title(),
                      (similar ? "did you mean " + quoted(*similar) + "? " : std::string()) +
                          "accepted: " + joined(values)));
}

template <typename Value>
void check_value(const Subject& subject, const Value& value, Diagnostics& found) {
    if constexpr (IsList<Value>::value) {
        for (const auto& element : value) {
            check_value(subject, element, found);
        }
    } else if constexpr (std::is_same_v<Value, std::string>) {
        check_string(subject, value, found);
    } else if constexpr (!std::is_same_v<Value, bool>) {
        check_number(subject, static_cast<double>(value), found);
    }
}

Diagnostic unknown_key(const std::string& name,
                       const GivenParameter& given,
                       const std::vector<ParameterSpec>& specs,
                       std::string_view owner) {
    std::vector<std::string> names;
    for (const ParameterSpec& spec : specs) {
        names.push_back(spec.name);
    }
    std::sort(names.begin(), names.end());
    Diagnostic diagnostic;
    diagnostic.code = "config/unknown-key";
    diagnostic.message = "unknown key " + quoted(name) + " in " + std::string(owner);
    diagnostic.location = given.key;
    const auto similar = nearest(name, names);
    diagnostic.hint = similar ? "did you mean " + quoted(*similar) + "?" : "remove the key";
    if (names.empty()) {
        diagnostic.hint += "; there are no keys here";
    } else if (names.size() <= kShortListOfKeys) {
        diagnostic.hint += std::string(similar ? " " : "; ") + "valid keys: " + joined(names);
    }
    return diagnostic;
}

Diagnostic missing_key(const ParameterSpec& spec,
                       std::string_view owner,
                       const Location& owner_location) {
    Diagnostic diagnostic;
    diagnostic.code = "config/missing-key";
    diagnostic.message = std::string(owner) + " lacks the key " + quoted(spec.name);
    diagnostic.location = owner_location;
    diagnostic.hint = "add for example: " + spec.name + " = " + example_of(spec);
    if (spec.values.size() > 1) {
        diagnostic.hint += "; accepted: " + joined(spec.values);
    }
    return diagnostic;
}

// `values` are those of all parameters, defaults filled in.
Diagnostic missing_because(const ParameterSpec& spec,
                           const Parameters& values,
                           std::string_view owner,
                           const Location& owner_location) {
    const Condition& condition = *spec.required_if;
    Diagnostic diagnostic = missing_key(spec, owner, owner_location);
    diagnostic.message += ", which is required when " + to_text(condition);
    const auto cause = values.find(condition.parameter);
    const bool is_given = cause != values.end() && !cause->second.where.file.empty();
    if (is_given) {
        diagnostic.notes.push_back(
            {quoted(condition.parameter) + " is set here", cause->second.where});
    } else if (cause != values.end()) {
        diagnostic.notes.push_back(
            {quoted(condition.parameter) + " has its default, " + to_toml(cause->second.value),
             {}});
    }
    return diagnostic;
}

bool is_required_now(const ParameterSpec& spec, const Parameters& values) {
    return spec.required_if && holds(*spec.required_if, values);
}

}  // namespace

Diagnostics validate_parameters(const Parameters& given,
                                const std::vector<ParameterSpec>& specs,
                                std::string_view owner,
                                const Location& owner_location) {
    Diagnostics found;
    for (const auto& [name, parameter] : given) {
        const auto spec = std::find_if(
            specs.begin(), specs.end(), [&](const auto& known) { return known.name == name; });
        if (spec == specs.end()) {
            found.push_back(unknown_key(name, parameter, specs, owner));
            continue;
        }
        const Subject subject{*spec, parameter, owner};
        if (!is_accepted(spec->type, parameter.value)) {
            found.push_back(wrong_type(subject));
            continue;
        }
        std::visit([&](const auto& value) { check_value(subject, value, found); }, parameter.value);
    }
    const Parameters values = fill_defaults(given, specs);
    for (const ParameterSpec& spec : specs) {
        if (values.contains(spec.name)) {
            continue;
        }
        if (is_required_now(spec, values)) {
            found.push_back(missing_because(spec, values, owner, owner_location));
        } else if (!spec.optional) {
            found.push_back(missing_key(spec, owner, owner_location));
        }
    }
    return found;
}

}  // namespace topress::config
