// What must hold after every stage: the host looks at the network itself and believes no
// declaration.
#pragma once

#include "base/diagnostic.hpp"
#include "network/graph.hpp"
#include "pipeline/resources.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace topress::pipeline {

/// What is remembered of a network before a stage.
struct Snapshot {
    ResourceHashes resources;
    std::vector<std::int64_t> input_shape;
    std::vector<std::int64_t> output_shape;
    double macs = 0;                             ///< of the main path
    std::map<std::string, int> weight_bits;      ///< per conv and linear node of the main path
    std::map<std::string, int> activation_bits;  ///< same nodes
    std::set<std::string> exits;
};

/// Throws Error{network/...} when the network does not hold together (a shape that does not fit).
[[nodiscard]] Snapshot take_snapshot(const network::Network& network);

/// The stage that is being checked.
struct CheckedStage {
    std::string label;
    std::string technique;
    std::vector<std::string> writes;  ///< as declared in the plugin's metadata for these parameters
};

/// Every broken invariant of `after` against `before`: check/not-finite, check/contract-changed,
/// check/undeclared-write, check/undone (errors), check/no-effect (warning).
[[nodiscard]] Diagnostics check_stage(const CheckedStage& stage,
                                      const Snapshot& before,
                                      const network::Network& after);

/// Settings of LibTorch and of the processor that a plugin may have moved.
struct GlobalState {
    bool gradients = true;
    int default_type = 0;
    int threads = 0;
    bool deterministic = false;
    std::uint32_t float_mode = 0;  ///< MXCSR control bits: rounding, flush to zero

    bool operator==(const GlobalState&) const = default;
};

[[nodiscard]] GlobalState read_global_state();

/// Sets everything back to `wanted`; a warning check/global-state for each setting that had moved.
[[nodiscard]] Diagnostics restore_global_state(const GlobalState& wanted, const std::string& label);

}  // namespace topress::pipeline
