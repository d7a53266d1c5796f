// A finished stage as it outlives its run: on disk beside the results, or in the stage cache.
#pragma once

#include "base/diagnostic.hpp"
#include "network/graph.hpp"
#include "pipeline/ledger.hpp"

namespace topress::pipeline {

/// All that a later run takes over of a stage.
struct Checkpoint {
    network::Network network;
    Row row;
    Diagnostics findings = {};  ///< warnings and information of the checks after the stage
};

/// `row` and `findings`; the network is stored beside them.
[[nodiscard]] Json to_json(const Checkpoint& checkpoint);

/// The inverse, for a network that was read already. Throws Json::exception.
[[nodiscard]] Checkpoint checkpoint_from_json(const Json& json, network::Network network);

}  // namespace topress::pipeline
