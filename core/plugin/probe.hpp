// The first opening of a library happens in a child process; what came of it is remembered.
#pragma once

#include "base/diagnostic.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace topress::plugin {

/// How probes are made.
struct ProbeSettings {
    std::filesystem::path program;  ///< started as `program arguments... FILE`
    std::vector<std::string> arguments = {"probe"};
    std::chrono::milliseconds timeout{20000};
    std::filesystem::path cache;  ///< folder of the verdicts; empty: none are remembered
    std::string build;            ///< of the host: another one needs other verdicts
};

/// What came of a probe.
struct ProbeVerdict {
    /// Empty: the library can be opened. Else plugin/probe-crashed, probe-timeout or probe-exited,
    /// or the refusal that the child met.
    std::optional<Diagnostic> refusal;
    bool is_remembered = false;  ///< from an earlier probe of the same content by the same host
    double seconds = 0;          ///< that the child took; 0 if remembered
};

/// Opens the file in a child, unless this content passed before. A refusal is remembered for
/// listings only: the reason may be gone (a library was installed), so the next call tries again.
/// Never throws because of the cache: it then only costs time.
/// Throws: Error{process/cannot-start} when there is no child at all.
[[nodiscard]] ProbeVerdict probe_library(const std::filesystem::path& file,
                                         const ProbeSettings& settings);

/// The line with which the child answers, to be printed once nothing of the plugin is running.
[[nodiscard]] std::string probe_answer(const std::optional<Diagnostic>& refusal);

}  // namespace topress::plugin
