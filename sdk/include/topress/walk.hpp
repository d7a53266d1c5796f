// Walking a network backwards: what a value depends on, and what stands before a quantizer.
#pragma once

#include <topress/model.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace topress {

/// Names of the nodes that `value` depends on, with the one that makes it.
[[nodiscard]] inline std::set<std::string> ancestors(const std::vector<NodeView>& nodes,
                                                     const std::string& value) {
    std::set<std::string> wanted{value};
    std::set<std::string> found;
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
        const bool is_wanted =
            std::any_of(node->outputs.begin(), node->outputs.end(), [&](const std::string& output) {
                return wanted.count(output) != 0;
            });
        if (is_wanted) {
            found.insert(node->name);
            wanted.insert(node->inputs.begin(), node->inputs.end());
        }
    }
    return found;
}

/// Every quantized value and the value it is made from.
[[nodiscard]] inline std::map<std::string, std::string> behind_quantizers(
    const std::vector<NodeView>& nodes) {
    std::map<std::string, std::string> behind;
    for (const NodeView& node : nodes) {
        if (node.op == "quantize") {
            behind[node.outputs.front()] = node.inputs.front();
        }
    }
    return behind;
}

}  // namespace topress
