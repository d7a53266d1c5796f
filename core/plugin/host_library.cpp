// Probe, then load.
#include "plugin/host_library.hpp"

#include "base/child_process.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "plugin/host_fingerprint.hpp"
#include "plugin/host_tables.hpp"

#include <sys/stat.h>

namespace topress::plugin {

namespace {

// Version, fingerprint and program: whatever changes one of them may change what a plugin does when
// it is opened.
std::string build_of(const std::filesystem::path& program) {
    Hasher hasher;
    hasher.add(host_interface().version).add(&host_fingerprint(), sizeof(topress_fingerprint));
    struct stat facts{};
    if (::stat(program.c_str(), &facts) == 0) {
        hasher.add(std::to_string(facts.st_size) + " " + std::to_string(facts.st_mtim.tv_sec) +
                   " " + std::to_string(facts.st_mtim.tv_nsec) + " " +
                   std::to_string(facts.st_ino));
    }
    return hasher.hex();
}

std::optional<ProbeSettings>& current_settings() {
    static std::optional<ProbeSettings> settings;
    return settings;
}

}  // namespace

ProbeSettings standard_probe_settings(const UserEnvironment& environment) {
    ProbeSettings settings;
    settings.program = own_program();
    const std::filesystem::path cache = environment.cache_folder();
    settings.cache = cache.empty() ? cache : cache / "topress" / "probe";
    settings.build = build_of(settings.program);
    return settings;
}

void set_probe_settings(std::optional<ProbeSettings> settings) {
    current_settings() = std::move(settings);
}

const std::optional<ProbeSettings>& probe_settings() {
    return current_settings();
}

Library load_plugin(const CatalogEntry& entry) {
    const bool is_loadable = entry.verdict == Verdict::Loadable;
    if (is_loadable && probe_settings()) {
        const ProbeVerdict verdict = probe_library(entry.path, *probe_settings());
        if (verdict.refusal) {
            throw DiagnosticError({*verdict.refusal});
        }
    }
    log::debug("loads " + entry.path.string());
    return Library::load(entry, host_interface(), host_fingerprint());
}

}  // namespace topress::plugin
