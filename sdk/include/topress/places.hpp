// Where a head may be attached: values through which everything later has to pass.
#pragma once

#include <topress/model.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace topress {

/// Beyond this share of the MACs a head costs about what it saves.
inline constexpr double kLatestPlace = 0.95;

/// A value that cuts the network in two, and the share of MACs spent before it.
struct Place {
    std::string value;
    double macs_share = 0;
    std::int64_t channels = 0;
};

/// Picture-shaped (C, H, W) values that are the only live value at their point, in execution order:
/// of a run of them without MACs between (convolution -> norm -> relu) only the last that is not a
/// quantize output.
[[nodiscard]] inline std::vector<Place> find_places(const Model& model) {
    const auto nodes = model.nodes();
    std::map<std::string, std::size_t> last_use;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (const auto& input : nodes[i].inputs) {
            last_use[input] = i;
        }
    }
    last_use[model.output()] = nodes.size();

    const double total = model.cost().macs;
    std::map<std::string, std::size_t> live{{model.input(), last_use[model.input()]}};
    // Quantized weights are made from parameters alone: they are not part of the data path.
    std::map<std::string, bool> depends_on_input{{model.input(), true}};
    std::vector<Place> places;
    double macs = 0;
    double macs_at_last_place = -1;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto& node = nodes[i];
        macs += model.node_macs(node.name);
        const bool data =
            std::any_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& v) {
                return depends_on_input.count(v) != 0;
            });
        if (!data) {
            continue;
        }
        for (const auto& output : node.outputs) {
            depends_on_input[output] = true;
            if (last_use.count(output) != 0) {
                live[output] = last_use[output];
            }
        }
        std::erase_if(live, [&](const auto& entry) { return entry.second <= i; });
        if (live.size() != 1 || node.op == "quantize" ||
            live.begin()->first != node.outputs.front()) {
            continue;
        }
        const auto shape = model.value_shape(node.outputs.front());
        if (shape.size() != 3 || macs <= 0 || macs > kLatestPlace * total ||
            shape[1] * shape[2] <= 1) {
            continue;
        }
        Place place{node.outputs.front(), macs / total, shape[0]};
        if (macs == macs_at_last_place && !places.empty()) {
            places.back() = place;
        } else {
            places.push_back(place);
        }
        macs_at_last_place = macs;
    }
    return places;
}

/// The nearest place to every position (0..1), each place once, in execution order.
[[nodiscard]] inline std::vector<Place> choose_places(const std::vector<Place>& places,
                                                      const std::vector<double>& positions) {
    std::vector<Place> chosen;
    const auto taken = [&](const Place& place) {
        return std::any_of(
            chosen.begin(), chosen.end(), [&](const Place& c) { return c.value == place.value; });
    };
    for (const double position : positions) {
        const Place* nearest = nullptr;
        for (const auto& place : places) {
            if (!taken(place) &&
                (nearest == nullptr || std::abs(place.macs_share - position) <
                                           std::abs(nearest->macs_share - position))) {
                nearest = &place;
            }
        }
        if (nearest != nullptr) {
            chosen.push_back(*nearest);
        }
    }
    std::sort(chosen.begin(), chosen.end(), [](const Place& a, const Place& b) {
        return a.macs_share < b.macs_share;
    });
    return chosen;
}

}  // namespace topress
