// The whole decision about one plugin file, gate by gate, for `topress plugin why`.
#pragma once

#include "plugin/catalog.hpp"
#include "plugin/probe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::plugin {

enum class GateOutcome : std::uint8_t { Passed, Refused, NotReached };

/// One step of the decision. Texts that do not apply are empty.
struct GateReport {
    std::string gate;  ///< "place", "file", "notes", "abi", "build", "metadata", "rules", "id", ...
    GateOutcome outcome = GateOutcome::NotReached;
    std::string question;  ///< what the gate asks
    std::string code;      ///< of the refusal
    std::string found;
    std::string expected;
    std::string rule;
    std::string hint;
};

/// The gate that refuses a file with this code; empty for a code that refuses no file.
[[nodiscard]] std::string_view gate_of(std::string_view code);

/// The gates in the order in which they are asked; those behind a refusal are not reached.
/// `probe`: what is known of it, or nothing.
[[nodiscard]] std::vector<GateReport> explain_decision(const CatalogEntry& entry,
                                                       const SearchPaths& paths,
                                                       const topress_fingerprint& host,
                                                       const std::optional<ProbeVerdict>& probe);

/// The entries that `name` may mean: of that plugin id, of plugins with a technique of that id, or
/// of that file.
[[nodiscard]] std::vector<const CatalogEntry*> find_entries(const Catalog& catalog,
                                                            const std::string& name);

/// The plugin or technique id most like `name`, if any is.
[[nodiscard]] std::optional<std::string> nearest_id(const Catalog& catalog,
                                                    const std::string& name);

}  // namespace topress::plugin
