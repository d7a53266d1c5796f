// The gates on how a plugin was linked: what it exports, needs, and asks of the loader.
#pragma once

#include "plugin/elf_linkage.hpp"
#include "plugin/refusal.hpp"

#include <optional>
#include <string>
#include <vector>

namespace topress::plugin {

/// None: the library may be opened. Else the first of plugin/not-elf (a program),
/// plugin/missing-symbol, plugin/bad-entry, plugin/extra-exports, plugin/unsafe-memory,
/// plugin/unsafe-library-path, plugin/static-runtime, plugin/shared-cudart or
/// plugin/undeclared-namespace. `torch_namespaces`: those the metadata declares.
[[nodiscard]] std::optional<Refusal> check_linkage(
    const Linkage& linkage, const std::vector<std::string>& torch_namespaces);

}  // namespace topress::plugin
