// Values by schema: nothing here knows what a parameter means, except that work is counted in
// epochs, steps, batches or iterations.
#include "conformance/parameters.hpp"

#include "data/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace topress::conformance {
namespace {

using config::ParameterSpec;
using config::ParameterType;
using config::ParameterValue;

constexpr double kLargestGuess = 16;  // above a minimum, where there is no maximum

bool is_list(ParameterType type) {
    return type == ParameterType::IntegerList || type == ParameterType::NumberList ||
           type == ParameterType::StringList;
}

/// `number` as a value of the parameter's type; texts are chosen by their place.
ParameterValue make_value(const ParameterSpec& spec, double number) {
    const auto integer = static_cast<std::int64_t>(std::llround(number));
    switch (spec.type) {
        case ParameterType::Bool:
            return integer != 0;
        case ParameterType::Integer:
            return integer;
        case ParameterType::Number:
            return number;
        case ParameterType::IntegerList:
            return std::vector<std::int64_t>{integer};
        case ParameterType::NumberList:
            return std::vector<double>{number};
        case ParameterType::String:
            return spec.values.empty() ? std::string("text")
                                       : spec.values.at(static_cast<std::size_t>(integer));
        case ParameterType::StringList:
            break;
    }
    return std::vector<std::string>{
        spec.values.empty() ? "text" : spec.values.at(static_cast<std::size_t>(integer))};
}

double lowest(const ParameterSpec& spec) {
    return spec.minimum ? *spec.minimum : spec.maximum ? std::min(0.0, *spec.maximum) : 0.0;
}

double highest(const ParameterSpec& spec) {
    return spec.maximum ? *spec.maximum : lowest(spec) + kLargestGuess;
}

bool is_numeric(const ParameterSpec& spec) {
    return spec.type == ParameterType::Integer || spec.type == ParameterType::Number ||
           spec.type == ParameterType::IntegerList || spec.type == ParameterType::NumberList;
}

/// Text that may have a form of its own, which the schema cannot say: no other than the usual one
/// is sure to be accepted.
bool is_free_text(const ParameterSpec& spec) {
    return (spec.type == ParameterType::String || spec.type == ParameterType::StringList) &&
           spec.values.empty();
}

ParameterValue usual_value(const ParameterSpec& spec) {
    return spec.default_value ? *spec.default_value
                              : make_value(spec, is_numeric(spec) ? lowest(spec) : 0);
}

bool counts_work(const ParameterSpec& spec) {
    constexpr std::array<std::string_view, 4> kWork = {"epochs", "steps", "batches", "iterations"};
    return std::any_of(kWork.begin(), kWork.end(), [&](std::string_view word) {
        return spec.unit == word || spec.name == word ||
               spec.name.ends_with(std::string("_").append(word));
    });
}

/// Half an epoch, or two of what can only be counted whole; less where the default is less.
ParameterValue little_work(const ParameterSpec& spec, const ParameterValue& usual) {
    constexpr double kEpochs = 0.5;
    constexpr double kWhole = 2;
    if (spec.type == ParameterType::Number) {
        const auto* number = std::get_if<double>(&usual);
        const double given = number != nullptr ? *number : kEpochs;
        return std::max(std::min(given, kEpochs), spec.minimum.value_or(0));
    }
    if (spec.type == ParameterType::Integer) {
        const auto* integer = std::get_if<std::int64_t>(&usual);
        const double given = integer != nullptr ? static_cast<double>(*integer) : kWhole;
        return make_value(spec, std::max(std::min(given, kWhole), spec.minimum.value_or(0)));
    }
    return usual;
}

double random_number(const ParameterSpec& spec, data::Random& random) {
    if (!is_numeric(spec)) {
        const std::uint64_t choices =
            spec.type == ParameterType::Bool ? 2 : std::max<std::uint64_t>(spec.values.size(), 1);
        return static_cast<double>(random.below(choices));
    }
    const double unit = static_cast<double>(random.next() >> 11U) * 0x1p-53;
    return lowest(spec) + unit * (highest(spec) - lowest(spec));
}

void add_beyond(const ParameterSpec& spec, std::vector<TriedValue>& tried) {
    if (spec.minimum) {
        tried.push_back({spec.name, make_value(spec, *spec.minimum - 1)});
    }
    if (spec.maximum) {
        tried.push_back({spec.name, make_value(spec, *spec.maximum + 1)});
    }
}

}  // namespace

config::Parameters default_parameters(const plugin::TechniqueMetadata& technique) {
    config::Parameters parameters;
    for (const ParameterSpec& spec : technique.parameters) {
        if (!spec.optional || spec.default_value) {
            parameters[spec.name] = {usual_value(spec), {}, {}};
        }
    }
    for (const ParameterSpec& spec : technique.parameters) {
        if (spec.required_if && !parameters.contains(spec.name) &&
            config::holds(*spec.required_if, parameters)) {
            parameters[spec.name] = {usual_value(spec), {}, {}};
        }
    }
    return config::fill_defaults(parameters, technique.parameters);
}

config::Parameters quickened(config::Parameters parameters,
                             const plugin::TechniqueMetadata& technique) {
    for (const ParameterSpec& spec : technique.parameters) {
        const auto found = parameters.find(spec.name);
        if (found != parameters.end() && counts_work(spec)) {
            found->second.value = little_work(spec, found->second.value);
        }
    }
    return parameters;
}

config::Parameters quick_parameters(const plugin::TechniqueMetadata& technique) {
    return quickened(default_parameters(technique), technique);
}

std::vector<TriedValue> values_to_accept(const plugin::TechniqueMetadata& technique) {
    std::vector<TriedValue> tried;
    for (const ParameterSpec& spec : technique.parameters) {
        tried.push_back({spec.name, usual_value(spec)});
        if (is_numeric(spec)) {
            tried.push_back({spec.name, make_value(spec, lowest(spec))});
            tried.push_back({spec.name, make_value(spec, highest(spec))});
        } else if (!is_free_text(spec)) {
            const std::size_t count =
                spec.type == ParameterType::Bool ? 2 : std::max<std::size_t>(spec.values.size(), 1);
            for (std::size_t i = 0; i < count; ++i) {
                tried.push_back({spec.name, make_value(spec, static_cast<double>(i))});
            }
        }
    }
    return tried;
}

std::vector<TriedValue> values_to_refuse(const plugin::TechniqueMetadata& technique) {
    std::vector<TriedValue> tried;
    for (const ParameterSpec& spec : technique.parameters) {
        if (is_numeric(spec)) {
            add_beyond(spec, tried);
            tried.push_back({spec.name, std::string("not a number")});
        } else if (!spec.values.empty()) {
            const std::string wrong = "no-such-value";
            tried.push_back({spec.name,
                             is_list(spec.type) ? ParameterValue(std::vector<std::string>{wrong})
                                                : ParameterValue(wrong)});
        } else {
            tried.push_back({spec.name, 0.5});
        }
    }
    return tried;
}

config::Parameters random_parameters(const plugin::TechniqueMetadata& technique,
                                     std::uint64_t seed) {
    data::Random random(seed);
    config::Parameters parameters;
    for (const ParameterSpec& spec : technique.parameters) {
        const double number = random_number(spec, random);
        parameters[spec.name] = {
            is_free_text(spec) ? usual_value(spec) : make_value(spec, number), {}, {}};
    }
    return parameters;
}

config::Parameters with_value(config::Parameters parameters, const TriedValue& tried) {
    parameters[tried.parameter] = {tried.value, {}, {}};
    return parameters;
}

}  // namespace topress::conformance
