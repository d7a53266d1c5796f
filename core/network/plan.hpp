// A network's structure compiled for running: names resolved to slots, order, last uses, exits.
#pragma once

#include "network/graph.hpp"
#include "network/operators.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace topress::network {

/// Where a value is: in a slot of the run, or a parameter of the network.
struct Source {
    bool is_parameter = false;
    bool is_last_use = false;  ///< the slot may be emptied by this use
    std::uint32_t index = 0;
};

/// One node to run.
struct Step {
    const Operator* op = nullptr;
    std::uint32_t node = 0;
    bool constant_input = false;  ///< RunMode::constant_input
    std::vector<Source> inputs;
    std::uint32_t output = 0;
    bool is_read = true;  ///< false: nobody needs the output
};

/// Steps [previous end, end) and what is known after them: the logits of one exit, or the output.
struct Segment {
    std::size_t end = 0;
    std::vector<Source> targets;
};

/// Slot 0 is the network's input. Only nodes that some target needs are in `steps`; those that
/// depend on parameters alone (quantized weights) stand directly before their first reader.
struct Plan {
    std::uint64_t revision = 0;
    std::vector<Step> steps;
    std::vector<Segment> segments;
    std::vector<bool> constant_slots;  ///< by slot: no batch dimension
};

/// The plan of all exits in order, then the output; cached in the network.
/// Throws Error{network/bad-input | network/unknown-value} for an unfinished network.
[[nodiscard]] std::shared_ptr<const Plan> plan_of(const Network& network);

/// A plan with one segment that gives these values. Throws Error{network/unknown-value}.
[[nodiscard]] Plan make_plan(const Network& network, const std::vector<std::string>& values);

}  // namespace topress::network
