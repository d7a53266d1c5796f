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
    bool may_be_idle = false;         ///< it said that there was nothing to do
};

/// check/broken-network if the shapes of a network do not fit each other; else nothing.
[[nodiscard]] Diagnostics check_whole(const CheckedStage& stage, const network::Network& network);

/// The figure by which a technique says that there was nothing to do; not 0 = so it is.
inline constexpr const char* kNothingToDo = "nothing_to_do";

/// Every broken invariant of `after` against `before`, as errors: check/broken-network (then
/// nothing else is looked at), check/not-finite, check/contract-changed, check/undeclared-write,
/// check/no-effect, check/undone. A stage without effect is information if it may be idle, and fine
/// if it declares to write nothing that the host can see.
[[nodiscard]] Diagnostics check_stage(const CheckedStage& stage,
                                      const Snapshot& before,
                                      const network::Network& after);

}  // namespace topress::pipeline
