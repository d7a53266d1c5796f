// The part of a checkpoint that is JSON.
#include "pipeline/checkpoint.hpp"

namespace topress::pipeline {

Json to_json(const Checkpoint& checkpoint) {
    Json json;
    json["row"] = to_json(checkpoint.row);
    json["findings"] = to_json(checkpoint.findings);
    return json;
}

Checkpoint checkpoint_from_json(const Json& json, network::Network network) {
    Checkpoint checkpoint{std::move(network), row_from_json(json.at("row")), {}};
    for (const Json& finding : json.at("findings")) {
        checkpoint.findings.push_back(diagnostic_from_json(finding));
    }
    return checkpoint;
}

}  // namespace topress::pipeline
