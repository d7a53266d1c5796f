// A new plugin project from a template: files with placeholders -> a folder that builds as it is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace topress::plugin {

/// What an author asks for.
struct ScaffoldRequest {
    std::string id;                   ///< of the plugin, reverse DNS
    std::string template_name;        ///< a folder of the templates
    std::filesystem::path directory;  ///< new, or empty; made with its parents
};

/// The names that are derived from a plugin id: "org.example.weight-noise" gives
struct ScaffoldNames {
    std::string id;
    std::string technique;   ///< "example.weight-noise"
    std::string label;       ///< "weight-noise": its table in a configuration
    std::string name;        ///< "weight_noise": CMake target, library and source file
    std::string class_name;  ///< "WeightNoise"
};

/// What was written.
struct Scaffold {
    ScaffoldNames names;
    std::filesystem::path directory;  ///< absolute
    std::vector<std::string> files;   ///< relative to it, sorted
};

/// Throws: DiagnosticError{usage/bad-plugin-id}.
[[nodiscard]] ScaffoldNames scaffold_names(const std::string& id);

/// Where the templates are: share/topress/templates below the prefix of the program, else those of
/// the source tree this program was built from. Throws: Error{plugin/no-templates}.
[[nodiscard]] std::filesystem::path find_templates(const std::filesystem::path& program);

/// Sorted; without the folder of what all templates share.
[[nodiscard]] std::vector<std::string> template_names(const std::filesystem::path& templates);

/// Writes the project: everything, or nothing. In texts and file names the placeholders
/// TEMPLATE_ID, TEMPLATE_TECHNIQUE, TEMPLATE_LABEL, TEMPLATE_NAME and TEMPLATE_CLASS become the
/// names; a file of the template goes before one of the same name in `common`.
/// Throws: DiagnosticError{usage/bad-plugin-id | usage/unknown-template | usage/folder-not-empty};
/// Error{file/cannot-read | file/cannot-write}.
[[nodiscard]] Scaffold write_scaffold(const ScaffoldRequest& request,
                                      const std::filesystem::path& templates);

}  // namespace topress::plugin
