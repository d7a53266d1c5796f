// Hard edges that contradict each other: the shortest cycle, who asked for it, what to drop.
#pragma once

#include "base/diagnostic.hpp"
#include "order/build.hpp"

#include <vector>

namespace topress::order {

/// One order/cycle error per knot of hard edges, each with its shortest cycle edge by edge.
[[nodiscard]] Diagnostics find_cycles(const Nodes& nodes, const std::vector<Candidate>& candidates);

/// Notes "a before b   declared by ...: reason" for every step, aligned.
[[nodiscard]] std::vector<DiagnosticNote> to_notes(const std::vector<Step>& steps);

}  // namespace topress::order
