// Paths that a configuration names, made absolute: those of a file from its folder, those of --set
// from the current one.
#pragma once

#include "base/diagnostic.hpp"
#include "config/schema.hpp"

#include <filesystem>
#include <string>

namespace topress::config {

/// Whether something was written on the command line (--set) and not in a file.
[[nodiscard]] bool is_override(const Location& where);

/// A path that somebody wrote at `where`, made absolute: one of a file is relative to that file's
/// folder, one of `--set` or of nowhere to the current folder.
[[nodiscard]] std::string anchored_path(const std::string& path, const Location& where);

/// Makes the strings of `value` that are paths by `kind` absolute, from `folder`; empty: the
/// current one.
void anchor(ParameterValue& value, PathKind kind, const std::filesystem::path& folder);

}  // namespace topress::config
