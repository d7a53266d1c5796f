// What a plan can tell about trouble ahead, from declarations alone.
#pragma once

#include "base/diagnostic.hpp"
#include "pipeline/plan.hpp"

namespace topress::pipeline {

/// Warnings and information about stages that spoil each other's work: plan/undoes for a later
/// technique that changes what an earlier one left, where a relation asks for the other order (a
/// warning on the user's word, information where evidence or rule sets decide so);
/// plan/channel-multiple for channels in multiples that low-bit kernels do not like.
[[nodiscard]] Diagnostics foresee(const Plan& plan);

}  // namespace topress::pipeline
