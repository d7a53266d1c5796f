// A plugin's page, rendered from its metadata: for the terminal, and as the Markdown in
// docs/plugins.
#pragma once

#include "plugin/metadata.hpp"

#include <string>

namespace topress::plugin {

/// The page as Markdown. `technique`: only the one of that id; empty: all.
[[nodiscard]] std::string to_markdown(const PluginMetadata& plugin,
                                      const std::string& technique = {});

/// The page as plain text, wrapped at `width` columns.
[[nodiscard]] std::string to_plain_text(const PluginMetadata& plugin,
                                        const std::string& technique = {},
                                        int width = 80);

}  // namespace topress::plugin
