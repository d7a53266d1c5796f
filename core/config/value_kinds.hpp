// Questions about the kind of a parameter value, for this folder only.
#pragma once

#include "config/parameter.hpp"

#include <type_traits>
#include <variant>
#include <vector>

namespace topress::config {

template <typename Value>
struct IsList : std::false_type {};

template <typename Element>
struct IsList<std::vector<Element>> : std::true_type {};

/// An empty list has no type of its own: it is accepted wherever a list is.
[[nodiscard]] inline bool is_empty_list(const ParameterValue& value) {
    return std::visit(
        []<typename Value>(const Value& held) {
            if constexpr (IsList<Value>::value) {
                return held.empty();
            } else {
                return false;
            }
        },
        value);
}

[[nodiscard]] inline bool is_list(ParameterType type) {
    return type == ParameterType::IntegerList || type == ParameterType::NumberList ||
           type == ParameterType::StringList;
}

}  // namespace topress::config
