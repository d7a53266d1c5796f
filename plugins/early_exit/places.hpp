// Where a head may be attached: values through which everything later has to pass.
#pragma once

#include <topress/model.hpp>

#include <string>
#include <vector>

namespace topress::early_exit {

/// A value that cuts the network in two, and the share of MACs spent before it.
struct Place {
    std::string value;
    double macs_share = 0;
    std::int64_t channels = 0;
};

/// Picture-shaped (C, H, W) values that are the only live value at their point, in execution order:
/// of a run of them without MACs between (convolution -> norm -> relu) only the last that is not a
/// quantize output.
[[nodiscard]] std::vector<Place> find_places(const Model& model);

/// The nearest place to every position (0..1), each place once, in execution order.
[[nodiscard]] std::vector<Place> choose_places(const std::vector<Place>& places,
                                               const std::vector<double>& positions);

}  // namespace topress::early_exit
