// Parameters: types, TOML text, equality, defaults.
#include "config/parameter.hpp"

#include "config/value_kinds.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <type_traits>

namespace topress::config {

namespace {

// ---- text ---------------------------------------------------------------------------------------

std::string number_to_toml(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    if (std::isinf(value)) {
        return value < 0 ? "-inf" : "inf";
    }
    const double magnitude = std::abs(value);
    const bool plain = magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e15);
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
    std::string text(buffer.data(), end);
    const bool looks_integer = text.find_first_of(".e") == std::string::npos;
    return looks_integer ? text + ".0" : text;
}

std::string escaped(unsigned char byte) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    return std::string("\\u00") + kDigits[byte >> 4U] + kDigits[byte & 0xFU];
}

std::string string_to_toml(const std::string& value) {
    std::string text = "\"";
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text += '\\';
            text += c;
        } else if (byte < 0x20U || byte == 0x7FU) {
            text += escaped(byte);
        } else {
            text += c;
        }
    }
    return text + "\"";
}

// ---- conversion ---------------------------------------------------------------------------------

ParameterValue empty_list(ParameterType type) {
    if (type == ParameterType::StringList) {
        return std::vector<std::string>{};
    }
    if (type == ParameterType::NumberList) {
        return std::vector<double>{};
    }
    return std::vector<std::int64_t>{};
}

// The value in the type the schema asks for; validation allowed only these conversions.
ParameterValue converted(const ParameterValue& value, ParameterType wanted) {
    if (is_list(wanted) && is_empty_list(value)) {
        return empty_list(wanted);
    }
    if (wanted == ParameterType::Number && std::holds_alternative<std::int64_t>(value)) {
        return static_cast<double>(std::get<std::int64_t>(value));
    }
    const auto* integers = std::get_if<std::vector<std::int64_t>>(&value);
    if (wanted == ParameterType::NumberList && integers != nullptr) {
        std::vector<double> numbers;
        for (const std::int64_t integer : *integers) {
            numbers.push_back(static_cast<double>(integer));
        }
        return numbers;
    }
    return value;
}

}  // namespace

std::string_view type_name(ParameterType type) {
    switch (type) {
        case ParameterType::Bool:
            return "bool";
        case ParameterType::Integer:
            return "integer";
        case ParameterType::Number:
            return "number";
        case ParameterType::String:
            return "string";
        case ParameterType::IntegerList:
            return "list of integers";
        case ParameterType::NumberList:
            return "list of numbers";
        case ParameterType::StringList:
            break;
    }
    return "list of strings";
}

ParameterType type_of(const ParameterValue& value) {
    return static_cast<ParameterType>(value.index());
}

std::string to_toml(const ParameterValue& value) {
    return std::visit(
        []<typename Value>(const Value& held) -> std::string {
            if constexpr (IsList<Value>::value) {
                std::string elements;
                for (const auto& element : held) {
                    elements += (elements.empty() ? "" : ", ") + to_toml(ParameterValue(element));
                }
                return "[" + elements + "]";
            } else if constexpr (std::is_same_v<Value, bool>) {
                return held ? "true" : "false";
            } else if constexpr (std::is_same_v<Value, std::int64_t>) {
                return std::to_string(held);
            } else if constexpr (std::is_same_v<Value, double>) {
                return number_to_toml(held);
            } else {
                return string_to_toml(held);
            }
        },
        value);
}

bool same_values(const Parameters& a, const Parameters& b) {
    return std::equal(
        a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
            const ParameterValue& left = one.second.value;
            const ParameterValue& right = other.second.value;
            const bool both_empty = is_empty_list(left) && is_empty_list(right);
            return one.first == other.first && (both_empty || left == right);
        });
}

bool holds(const Condition& condition, const Parameters& values) {
    const auto found = values.find(condition.parameter);
    const bool is_one_of_them =
        found != values.end() &&
        std::ranges::find(condition.values, found->second.value) != condition.values.end();
    return is_one_of_them != condition.negated;
}

std::string to_text(const Condition& condition) {
    std::string text = condition.parameter + (condition.negated ? " is not " : " is ");
    for (std::size_t i = 0; i < condition.values.size(); ++i) {
        const bool is_last = i + 1 == condition.values.size();
        text += i == 0 ? "" : is_last ? " or " : ", ";
        text += to_toml(condition.values[i]);
    }
    return text;
}

Parameters fill_defaults(const Parameters& given, const std::vector<ParameterSpec>& specs) {
    Parameters filled = given;
    for (const ParameterSpec& spec : specs) {
        const auto present = filled.find(spec.name);
        if (present != filled.end()) {
            present->second.value = converted(present->second.value, spec.type);
        } else if (spec.default_value) {
            filled[spec.name] = {converted(*spec.default_value, spec.type), {}, {}};
        }
    }
    return filled;
}

}  // namespace topress::config
