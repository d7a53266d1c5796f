// All plugins that can be found, each loadable or refused with the reason. Opens no library.
#pragma once

#include "base/diagnostic.hpp"
#include "plugin/metadata.hpp"
#include "plugin/search_paths.hpp"

#include <topress/abi.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::plugin {

enum class Verdict : std::uint8_t { Loadable, Refused };

/// One file that was found and the decision about it.
struct CatalogEntry {
    std::filesystem::path path;  ///< absolute
    std::string where_from;      ///< which part of the search found it: "--plugin-path", ...
    std::optional<PluginMetadata> metadata;  ///< also of a refused file, when it could be read
    Verdict verdict = Verdict::Refused;
    Diagnostic refusal;                 ///< empty unless refused; notes: found, expected, rule
    std::filesystem::path shadowed_by;  ///< same plugin id, found earlier; empty if none

    /// Loadable and not shadowed: its techniques can be used.
    [[nodiscard]] bool is_active() const;
    /// Found beside the program: it came with topress, and what is in there, only who may write
    /// the program itself can change.
    [[nodiscard]] bool is_bundled() const;
};

/// A technique and the plugin that offers it; both point into the catalog.
struct TechniqueReference {
    const CatalogEntry* plugin = nullptr;
    const TechniqueMetadata* technique = nullptr;
};

/// What find_plugins() found: by plugin id, then by search position; files without readable
/// metadata come last, by path.
struct Catalog {
    std::vector<CatalogEntry> entries;
    Diagnostics diagnostics;  ///< about the search itself, for example a missing --plugin-path

    /// Techniques of active plugins, by id.
    [[nodiscard]] std::vector<TechniqueReference> techniques() const;
    [[nodiscard]] std::vector<std::string> technique_ids() const;
    [[nodiscard]] std::optional<TechniqueReference> find_technique(std::string_view id) const;
    /// The active entry of that plugin id, else the first refused one, else null.
    [[nodiscard]] const CatalogEntry* find_plugin(std::string_view id) const;
};

/// Looks at every *.so in the folders of `paths` (and at files named there), in that order, and
/// gates each by its notes: no code of a plugin runs. Of loadable files with the same plugin id the
/// first found is used and shadows the others; a technique id that an earlier plugin has is
/// plugin/duplicate-technique.
[[nodiscard]] Catalog find_plugins(const SearchPaths& paths, const topress_fingerprint& host);

/// The decision about one file, on its own.
[[nodiscard]] CatalogEntry examine_plugin(const std::filesystem::path& file,
                                          const topress_fingerprint& host);

}  // namespace topress::plugin
