// A plan for people: drawing, reasons, what each technique is worth to the order, estimated cost.
#pragma once

#include "cli/terminal.hpp"
#include "pipeline/estimate.hpp"
#include "pipeline/plan.hpp"

#include <string>

namespace topress::cli {

/// The whole page; lines keep to the width of the terminal, words longer than that stay whole.
[[nodiscard]] std::string plan_page(const pipeline::Plan& plan,
                                    const pipeline::Estimate& estimate,
                                    const Terminal& terminal);

}  // namespace topress::cli
