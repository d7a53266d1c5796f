// Who serves a built-in operator: how often plugins have offered implementations in this process,
// and whether those were used.
#pragma once

#include <cstdint>

namespace topress::plugin {

/// Counts since the start of the process. The last accepted offer is in use.
struct OperatorOffers {
    std::uint64_t quantize = 0;
    std::uint64_t exit_gate = 0;
    std::uint64_t quantize_uses = 0;  ///< calls that went to an offered implementation
    std::uint64_t exit_gate_uses = 0;
};

[[nodiscard]] OperatorOffers operator_offers() noexcept;

}  // namespace topress::plugin
