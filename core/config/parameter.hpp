// Typed parameters: their schema as data, validation with located diagnostics, defaults.
// The same form describes the host's own configuration sections and the parameters of plugins.
#pragma once

#include "base/diagnostic.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace topress::config {

enum class ParameterType : std::uint8_t {
    Bool,
    Integer,
    Number,
    String,
    IntegerList,
    NumberList,
    StringList
};

/// One value; the alternatives are in the order of ParameterType.
using ParameterValue = std::variant<bool,
                                    std::int64_t,
                                    double,
                                    std::string,
                                    std::vector<std::int64_t>,
                                    std::vector<double>,
                                    std::vector<std::string>>;

/// "This parameter has one of these values"; negated: none of them.
struct Condition {
    std::string parameter;
    std::vector<ParameterValue> values;
    bool negated = false;
};

/// What one parameter accepts; configurations are validated and pages rendered from it.
struct ParameterSpec {
    std::string name;
    ParameterType type = ParameterType::Number;
    std::optional<ParameterValue> default_value;  ///< none: must be given, unless `optional`
    std::optional<double> minimum;                ///< inclusive; holds for each element of a list
    std::optional<double> maximum;                ///< inclusive
    std::vector<std::string> values;              ///< allowed strings; empty: any
    std::string unit;
    std::string doc;        ///< one sentence
    bool optional = false;  ///< may stay absent: then there is no value at all
    bool is_file = false;   ///< a string: the path of a file, whose content counts
    /// Must be given while this holds for the values of the others; then `optional` is set too.
    std::optional<Condition> required_if = std::nullopt;
};

/// A value somebody wrote, and where. Both locations are empty for a default.
struct GivenParameter {
    ParameterValue value;
    Location key;    ///< the name
    Location where;  ///< the value
};

using Parameters = std::map<std::string, GivenParameter>;

/// "bool", "integer", "number", "string", "list of integers", ...
[[nodiscard]] std::string_view type_name(ParameterType type);

/// The type a value has; an empty list counts as a list of integers.
[[nodiscard]] ParameterType type_of(const ParameterValue& value);

/// The value as TOML: 4, 0.5, "text", [1, 2]. Numbers read back to the same bits.
[[nodiscard]] std::string to_toml(const ParameterValue& value);

/// True if the values of all parameters are the same; places do not count.
[[nodiscard]] bool same_values(const Parameters& a, const Parameters& b);

/// Whether a condition holds for `values`; a parameter without a value has none of the values.
[[nodiscard]] bool holds(const Condition& condition, const Parameters& values);

/// The condition for people: `method is "plain" or "soft"`, `steps is not 0`.
[[nodiscard]] std::string to_text(const Condition& condition);

/// Every mistake in `given`: config/unknown-key, wrong-type, out-of-range, invalid-value,
/// missing-key (also where `required_if` holds). `owner` completes "unknown key 'x' in ...", for
/// example "[model]"; a missing key is reported at `owner_location`. An integer is accepted where a
/// number is asked for.
[[nodiscard]] Diagnostics validate_parameters(const Parameters& given,
                                              const std::vector<ParameterSpec>& specs,
                                              std::string_view owner,
                                              const Location& owner_location = {});

/// `given` with each missing default added, integers turned into numbers where the schema says so.
/// Requires: validate_parameters() found nothing.
[[nodiscard]] Parameters fill_defaults(const Parameters& given,
                                       const std::vector<ParameterSpec>& specs);

}  // namespace topress::config
