// The keys that the host owns in every table of a technique.
#include "config/schema.hpp"

#include <utility>

namespace topress::config {

namespace {

constexpr double kSmallestIntensity = 1e-9;   // positive
constexpr double kLargestLimit = 2147483647;  // what fits into an int

ParameterSpec optional_key(std::string name,
                           ParameterType type,
                           std::string doc,
                           std::string unit = {}) {
    ParameterSpec spec;
    spec.name = std::move(name);
    spec.type = type;
    spec.doc = std::move(doc);
    spec.unit = std::move(unit);
    spec.optional = true;
    return spec;
}

std::vector<ParameterSpec> make_technique_specs() {
    ParameterSpec use =
        optional_key("use",
                     ParameterType::String,
                     "The technique: its id, or the last part of it. Unless given: the label.");
    ParameterSpec isolation = optional_key(
        "isolation",
        ParameterType::String,
        "Run the stage in a process of its own, or in that of topress. Unless given: bundled "
        "plugins run inside, others in a process ([isolation.md](isolation.md)).");
    isolation.values = {"process", "in-process"};
    ParameterSpec timeout = optional_key(
        "timeout_s",
        ParameterType::Number,
        "The stage fails when it takes longer; 0 is no limit. A limit needs a process.",
        "s");
    timeout.minimum = 0;
    ParameterSpec memory = optional_key("memory_limit_mb",
                                        ParameterType::Integer,
                                        "The stage fails when its process holds more memory; 0 is "
                                        "no limit. A limit needs a process.",
                                        "MiB");
    memory.minimum = 0;
    memory.maximum = kLargestLimit;
    ParameterSpec intensity =
        optional_key("intensity",
                     ParameterType::Number,
                     "How many times fewer bit operations the technique leaves by itself; only "
                     "rules that order by intensity read it ([ordering.md](ordering.md)).");
    intensity.minimum = kSmallestIntensity;
    return {std::move(use),
            std::move(isolation),
            std::move(timeout),
            std::move(memory),
            std::move(intensity)};
}

}  // namespace

const std::vector<ParameterSpec>& technique_specs() {
    static const std::vector<ParameterSpec> specs = make_technique_specs();
    return specs;
}

}  // namespace topress::config
