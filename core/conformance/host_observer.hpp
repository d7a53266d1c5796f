// The host as a plugin under test sees it: the real tables, watched, and made to fail on request.
#pragma once

#include <topress/abi.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace topress::conformance {

/// What the observed host does besides passing calls on.
struct HostScript {
    std::uint64_t fail_at = 0;     ///< this call that can fail does, from 1 on; 0 = none
    std::set<std::string> hidden;  ///< interface ids that it does not know
};

/// What a plugin did with the host since the last reset.
struct HostLog {
    std::uint64_t calls = 0;                   ///< of functions that can fail
    std::string failed_call;                   ///< "fit", of the one that was made to fail
    std::set<std::string> used;                ///< names of the functions called
    bool read_training_split = false;          ///< opened a reader on it
    bool used_teacher = false;                 ///< a fit with a teacher
    topress_status apply_status = TOPRESS_OK;  ///< of the last observed apply
    std::string apply_message;
};

/// Given to the plugin instead of plugin::host_interface(); lives as long as the process.
[[nodiscard]] const topress_host& observed_host() noexcept;

/// Holds from now on. Thread: any.
void set_host_script(HostScript script);

[[nodiscard]] HostLog host_log();
/// Also forgets the tensors that were handed out.
void reset_host_log();

/// Of the parameters that a plugin asked for since the last reset, those whose storage somebody
/// still holds: after its stage and its instance are gone, the plugin.
[[nodiscard]] std::size_t count_held_parameters();

/// The plugin's own table, with the status of apply written to the log.
[[nodiscard]] const topress_techniques_v1& observed_techniques(const topress_techniques_v1& table);

/// Implementations that the plugin offered through topress.ops/1, as it gave them.
struct OfferedOperators {
    bool has_quantize = false;
    bool has_exit_gate = false;
    topress_quantize_implementation quantize{};
    topress_exit_gate_implementation exit_gate{};
};

[[nodiscard]] const OfferedOperators& offered_operators();

}  // namespace topress::conformance
