// Short technique names: which known id a name of the configuration means.
#pragma once

#include "base/diagnostic.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::config {

/// The id that `name` means: itself if known, else the only id whose last component is `name`
/// ("channel" -> "pruning.channel"). None if there is no such id, or more than one.
[[nodiscard]] std::optional<std::string> resolve_technique(
    std::string_view name, const std::vector<std::string>& known_ids);

/// Why resolve_technique() found nothing: config/unknown-technique with the nearest id, or
/// config/ambiguous-technique with the candidates.
[[nodiscard]] Diagnostic explain_unresolved(std::string_view name,
                                            const std::vector<std::string>& known_ids,
                                            const Location& where);

}  // namespace topress::config
