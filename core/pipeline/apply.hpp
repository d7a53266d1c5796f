// A technique applied to a network, wherever that happens: in the run or in a worker.
#pragma once

#include "base/diagnostic.hpp"
#include "network/graph.hpp"
#include "pipeline/ledger.hpp"
#include "plugin/host_stage.hpp"
#include "plugin/library.hpp"

namespace topress::pipeline {

/// What a technique left behind.
struct StageOutcome {
    network::Network network;
    Row row;            ///< label, technique, seconds, metrics and curves; the rest is not filled
    Diagnostics leaks;  ///< errors check/global-state; all of it has been set back
};

/// Runs the technique on a copy of `input`, with random numbers of its own, and sets global state
/// back. Throws: what plugin::run_stage() throws.
[[nodiscard]] StageOutcome apply_technique(plugin::TechniqueObject& technique,
                                           const network::Network& input,
                                           const network::Network& original,
                                           plugin::StageServices& services);

}  // namespace topress::pipeline
