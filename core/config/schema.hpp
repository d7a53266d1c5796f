// The host-owned keys of the configuration as data: loader, writer and documentation read this
// table.
#pragma once

#include "config/parameter.hpp"
#include "config/run_config.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::config {

/// How the strings of a key relate to files.
enum class PathKind : std::uint8_t {
    None,
    Path,       ///< always a path
    NameOrPath  ///< a path if it has a slash or ends in .toml
};

/// One key: what it accepts and where it lives in a RunConfig.
struct Key {
    ParameterSpec spec;
    PathKind path = PathKind::None;
    std::function<std::optional<ParameterValue>(const RunConfig&)> get;
    /// Requires: the value has the type of the spec and is in its range.
    std::function<void(RunConfig&, const ParameterValue&)> set;
};

/// One table of the file; the name of the top level is empty.
struct Section {
    std::string name;
    std::string doc;
    std::vector<Key> keys;
};

/// All sections in the order in which they are written and documented.
[[nodiscard]] const std::vector<Section>& schema();

/// The specs of a section; `architectures` become the accepted values of model.architecture.
[[nodiscard]] std::vector<ParameterSpec> specs_of(
    const Section& section, const std::vector<std::string>& architectures = {});

/// Keys of one [[order.edge]].
[[nodiscard]] const std::vector<ParameterSpec>& edge_specs();

/// Keys of one [[explore.setting]].
[[nodiscard]] const std::vector<ParameterSpec>& setting_specs();

/// The only list of tables that may stand in a section: "edge" in [order], "setting" in [explore];
/// empty for the others.
[[nodiscard]] std::string_view list_in(const Section& section);

/// The keys of a [technique.LABEL] that belong to the host: `use` and those of its isolation. No
/// technique may have a parameter of these names.
[[nodiscard]] const std::vector<ParameterSpec>& technique_specs();

/// "[model]", or "the top level".
[[nodiscard]] std::string title_of(const Section& section);

}  // namespace topress::config
