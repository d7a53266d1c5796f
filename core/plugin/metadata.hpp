// plugin.toml -> typed metadata: what a plugin says about itself before any of its code runs.
#pragma once

#include "base/diagnostic.hpp"
#include "config/parameter.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::plugin {

/// One `before` or `after` of a technique.
struct MetadataRelation {
    std::string target;  ///< a technique id, "capability:x", "kind:x" or "granularity:x"
    bool is_hard = false;
    std::string reason;
    std::string source;  ///< paper or page, may be empty
    Location where;      ///< in plugin.toml
};

/// Resources that a technique touches only while a condition on its parameters holds.
struct ConditionalUse {
    config::Condition when;
    std::vector<std::string> reads;
    std::vector<std::string> writes;
    Location where;  ///< of its row in plugin.toml
};

enum class Need : std::uint8_t { None, Optional, Required };

/// What a technique must be given to work.
struct Needs {
    bool training_data = false;
    bool labels = false;
    bool teacher = false;
    Need cuda = Need::None;
};

/// A number, or the name of the parameter that holds it.
struct EffectValue {
    std::string parameter;  ///< empty: `number` counts
    double number = 0;

    bool operator==(const EffectValue&) const = default;
};

/// [technique.effect]: what it is expected to do to the cost of a network, for estimates only. What
/// it leaves out stays as it was.
struct Effect {
    std::map<std::string, EffectValue> values;  ///< by key, see effect_keys()
};

/// One technique of a plugin, as it declares itself.
struct TechniqueMetadata {
    std::string id;  ///< "pruning.channel"
    std::string summary;
    std::string kind;                 ///< "static" or "dynamic"
    std::string granularity;          ///< "architecture", "layer", "channel", "weight" or "bit"
    int rank = 0;                     ///< tie-break only: lower goes first
    std::vector<std::string> reads;   ///< always; see resource_use() for all
    std::vector<std::string> writes;  ///< likewise
    std::vector<ConditionalUse> conditional;
    std::vector<MetadataRelation> before;
    std::vector<MetadataRelation> after;
    std::vector<std::string> requires_;  ///< `requires` is a keyword
    std::vector<std::string> conflicts;
    std::vector<std::string> provides;
    std::vector<std::string> replaces;  ///< ids of techniques that it can stand in for
    Needs needs;
    std::optional<Effect> effect = std::nullopt;  ///< none: it says nothing about its cost
    std::string determinism = "bit-exact";        ///< "bit-exact", "same-device" or "none"
    std::string isolation;  ///< "process", "in-process", or empty: as where the plugin comes from
    bool recalibrates = false;  ///< applied again, to re-tune what it made, after later stages
    std::vector<config::ParameterSpec> parameters;  ///< in the order of the file
    Location where;                                 ///< of its table in plugin.toml
};

/// The version of the C boundary a library was built with; from its build note, not from
/// plugin.toml.
struct AbiVersion {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
};

/// Everything a plugin says about itself.
struct PluginMetadata {
    int schema = 1;
    AbiVersion abi;
    std::string id;  ///< reverse DNS: "org.example.scaling"
    std::string name;
    std::string version;
    std::string license;
    std::string summary;
    std::vector<std::string> torch_namespaces;  ///< of its TORCH_LIBRARY blocks
    std::vector<TechniqueMetadata> techniques;
};

/// The one metadata schema this host reads.
inline constexpr int kMetadataSchema = 1;

/// What a technique touches: all it declares always, and what its parameters add.
struct ResourceUse {
    std::vector<std::string> reads;
    std::vector<std::string> writes;
};

/// The resources of a technique with these parameters, each once; `parameters` are validated, with
/// defaults filled in.
[[nodiscard]] ResourceUse resource_use(const TechniqueMetadata& technique,
                                       const config::Parameters& parameters);

/// What [technique.effect] says under `key` with these parameters; none if the technique, the key
/// or the parameter says nothing. `same` is what the word "same" stands for (first_last_bits).
[[nodiscard]] std::optional<double> effect_of(const TechniqueMetadata& technique,
                                              const config::Parameters& parameters,
                                              const std::string& key,
                                              std::optional<double> same = std::nullopt);

/// Parses plugin.toml. `file` is the name shown in diagnostics. Every mistake is collected as
/// plugin/bad-metadata with its line and column; with any mistake there is no result.
[[nodiscard]] std::optional<PluginMetadata> parse_metadata(std::string_view text,
                                                           const std::string& file,
                                                           Diagnostics& diagnostics);

}  // namespace topress::plugin
