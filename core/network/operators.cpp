// The registry of built-in operators, and shapes of every value of a network.
#include "network/operators.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "network/custom.hpp"
#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace topress::network {
namespace {

const std::vector<Operator>& registry() {
    static const std::vector<Operator> operators{
        make_conv2d(),
        make_linear(),
        make_batch_norm(),
        make_relu(),
        make_add(),
        make_concat(),
        make_max_pool(),
        make_avg_pool(),
        make_global_avg_pool(),
        make_flatten(),
        make_quantize(),
    };
    return operators;
}

/// Elements of one value; bounded so that products of sizes stay far from overflow.
void check_size(const Node& node, const Shape& shape) {
    constexpr double kMaximumElements = 4e9;
    double elements = 1;
    for (const std::int64_t size : shape) {
        elements *= static_cast<double>(size);
    }
    if (elements > kMaximumElements) {
        throw_shape(node, "its output " + to_text(shape) + " is too large");
    }
}

std::vector<Shape> shapes_of_inputs(const Node& node, const std::map<std::string, Shape>& known) {
    std::vector<Shape> inputs;
    for (const std::string& name : node.inputs) {
        const auto found = known.find(name);
        TOPRESS_ASSERT(found != known.end());
        inputs.push_back(found->second);
    }
    return inputs;
}

}  // namespace

const Operator* find_operator(std::string_view name) {
    const auto& all = registry();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Operator& op) { return op.name == name; });
    return found == all.end() ? find_custom_operator(name) : &*found;
}

const Operator& operator_named(std::string_view name) {
    if (const Operator* found = find_operator(name)) {
        return *found;
    }
    std::vector<std::string> known;
    for (const std::string_view operator_name : operator_names()) {
        known.emplace_back(operator_name);
    }
    const auto near = nearest(name, known);
    throw Error("network/unknown-operator",
                "unknown operator '" + std::string(name) + "'",
                std::string(name),
                near ? "did you mean '" + *near + "'?" : "operators are listed in docs/sdk.md");
}

std::vector<std::string_view> operator_names() {
    std::vector<std::string_view> names;
    for (const Operator& op : registry()) {
        names.push_back(op.name);
    }
    return names;
}

std::map<std::string, Shape> infer_shapes(const Network& network) {
    std::map<std::string, Shape> shapes;
    shapes[network.input().name] = network.input().shape;
    for (const Parameter& parameter : network.parameters()) {
        shapes[parameter.name] = parameter.tensor.sizes().vec();
    }
    for (const Node& node : network.nodes()) {
        const auto outputs = operator_named(node.op).shape(node, shapes_of_inputs(node, shapes));
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            check_size(node, outputs[i]);
            shapes[node.outputs[i]] = outputs[i];
        }
    }
    return shapes;
}

}  // namespace topress::network
