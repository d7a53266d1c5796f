// Typed attributes of nodes and settings of networks, and their form at the C boundary.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace topress {

/// A typed attribute of a node ("stride") or setting of a network ("depth").
using Attribute = std::variant<bool,
                               std::int64_t,
                               double,
                               std::string,
                               std::vector<std::int64_t>,
                               std::vector<double>>;
using Attributes = std::map<std::string, Attribute>;

namespace detail {

/// Borrows name and value: both must outlive the result.
inline topress_value to_value(const std::string& name, const Attribute& attribute) {
    topress_value value{};
    value.struct_size = sizeof(topress_value);
    value.name = name.c_str();
    std::visit(
        [&value](const auto& held) {
            using Held = std::decay_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, bool>) {
                value.type = TOPRESS_TYPE_BOOL;
                value.integer = held ? 1 : 0;
            } else if constexpr (std::is_same_v<Held, std::int64_t>) {
                value.type = TOPRESS_TYPE_INTEGER;
                value.integer = held;
            } else if constexpr (std::is_same_v<Held, double>) {
                value.type = TOPRESS_TYPE_NUMBER;
                value.number = held;
            } else if constexpr (std::is_same_v<Held, std::string>) {
                value.type = TOPRESS_TYPE_STRING;
                value.string = held.c_str();
            } else if constexpr (std::is_same_v<Held, std::vector<std::int64_t>>) {
                value.type = TOPRESS_TYPE_INTEGER_LIST;
                value.count = held.size();
                value.integers = held.data();
            } else {
                value.type = TOPRESS_TYPE_NUMBER_LIST;
                value.count = held.size();
                value.numbers = held.data();
            }
        },
        attribute);
    return value;
}

/// Copies. Throws PluginError{INVALID_ARGUMENT} for a type that no attribute has.
inline Attribute to_attribute(const topress_value& value) {
    switch (value.type) {
        case TOPRESS_TYPE_BOOL:
            return value.integer != 0;
        case TOPRESS_TYPE_INTEGER:
            return value.integer;
        case TOPRESS_TYPE_NUMBER:
            return value.number;
        case TOPRESS_TYPE_STRING:
            return std::string(value.string != nullptr ? value.string : "");
        case TOPRESS_TYPE_INTEGER_LIST:
            return std::vector<std::int64_t>(value.integers, value.integers + value.count);
        case TOPRESS_TYPE_NUMBER_LIST:
            return std::vector<double>(value.numbers, value.numbers + value.count);
        default:
            throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                              "an attribute cannot have the type " + std::to_string(value.type),
                              value.name != nullptr ? value.name : "");
    }
}

/// Borrows from the map.
inline std::vector<topress_value> to_values(const Attributes& attributes) {
    std::vector<topress_value> values;
    values.reserve(attributes.size());
    for (const auto& [name, attribute] : attributes) {
        values.push_back(to_value(name, attribute));
    }
    return values;
}

/// Borrows from the strings.
inline std::vector<const char*> to_pointers(const std::vector<std::string>& texts) {
    std::vector<const char*> pointers;
    pointers.reserve(texts.size());
    for (const std::string& text : texts) {
        pointers.push_back(text.c_str());
    }
    return pointers;
}

}  // namespace detail
}  // namespace topress
