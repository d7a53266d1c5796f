// The parameters a technique is configured with: typed access by name.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace topress {

/// All parameters of one instance, validated by the host against plugin.toml, defaults filled in.
/// `get<T>("name")` with T = bool, int, std::int64_t, double, std::string or a std::vector of the
/// last three. An integer can be read as double; a list of integers as a list of doubles.
class Params {
  public:
    using Value = std::variant<bool,
                               std::int64_t,
                               double,
                               std::string,
                               std::vector<std::int64_t>,
                               std::vector<double>,
                               std::vector<std::string>>;

    Params() = default;

    /// Copies what the host handed over.
    Params(const topress_value* values, std::uint64_t count) {
        // The host's struct may be longer than the one known here: its own size is the stride.
        const auto* bytes = reinterpret_cast<const unsigned char*>(values);
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto& value =
                *reinterpret_cast<const topress_value*>(bytes + i * values->struct_size);
            values_.insert_or_assign(value.name, copy(value));
        }
    }

    /// False for an optional parameter that was not given.
    [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) != 0; }

    /// Throws: PluginError{NOT_FOUND} for an unknown name, {INVALID_ARGUMENT} for another type.
    template <class T>
    [[nodiscard]] T get(const std::string& name) const {
        const Value& value = find(name);
        if constexpr (std::is_same_v<T, double>) {
            if (const auto* integer = std::get_if<std::int64_t>(&value)) {
                return static_cast<double>(*integer);
            }
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
            if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
                return T(integers->begin(), integers->end());
            }
        }
        if constexpr (!std::is_same_v<Stored<T>, T>) {
            return static_cast<T>(typed<Stored<T>>(name, value));
        } else {
            return typed<T>(name, value);
        }
    }

    /// As get(), or `otherwise` when the parameter was not given.
    template <class T>
    [[nodiscard]] T get_or(const std::string& name, T otherwise) const {
        return has(name) ? get<T>(name) : otherwise;
    }

  private:
    // Narrower integers are stored as int64.
    template <class T>
    using Stored =
        std::conditional_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, std::int64_t, T>;

    template <class T>
    static T typed(const std::string& name, const Value& value) {
        if (const auto* typed_value = std::get_if<T>(&value)) {
            return *typed_value;
        }
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                          "the parameter '" + name + "' was read as a type it does not have");
    }

    const Value& find(const std::string& name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) {
            throw PluginError(TOPRESS_ERROR_NOT_FOUND, "no parameter '" + name + "'", name);
        }
        return found->second;
    }

    static Value copy(const topress_value& value) {
        switch (value.type) {
            case TOPRESS_TYPE_BOOL:
                return value.integer != 0;
            case TOPRESS_TYPE_INTEGER:
                return value.integer;
            case TOPRESS_TYPE_NUMBER:
                return value.number;
            case TOPRESS_TYPE_STRING:
                return std::string(value.string);
            case TOPRESS_TYPE_INTEGER_LIST:
                return std::vector<std::int64_t>(value.integers, value.integers + value.count);
            case TOPRESS_TYPE_NUMBER_LIST:
                return std::vector<double>(value.numbers, value.numbers + value.count);
            case TOPRESS_TYPE_STRING_LIST:
                return std::vector<std::string>(value.strings, value.strings + value.count);
            default:
                throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                                  "the parameter '" + std::string(value.name) +
                                      "' has a type this plugin does not know");
        }
    }

    std::map<std::string, Value> values_;
};

}  // namespace topress
