// Opening plugins as this program does it: probed in a child first, then loaded.
#pragma once

#include "plugin/library.hpp"
#include "plugin/probe.hpp"
#include "plugin/user_environment.hpp"

#include <optional>

namespace topress::plugin {

/// Probes by this program: `topress probe FILE`, verdicts below the user's cache folder.
[[nodiscard]] ProbeSettings standard_probe_settings(
    const UserEnvironment& environment = UserEnvironment::of_process());

/// From now on load_plugin() probes. Called once at the start of `topress`; a program without a
/// command `probe`, such as a test, loads without. Thread: main.
void set_probe_settings(std::optional<ProbeSettings> settings);
[[nodiscard]] const std::optional<ProbeSettings>& probe_settings();

/// Opens the plugin for this host. A file that was never seen is opened in a child process first.
/// Throws: what Library::load() throws; DiagnosticError with the refusal of the probe.
/// Thread: main.
[[nodiscard]] Library load_plugin(const CatalogEntry& entry);

}  // namespace topress::plugin
