// TEMPLATE_ID: quantizes weights and activations to their measured range, without training.
// SPDX-License-Identifier: Apache-2.0
#include <topress/plugin.hpp>

#include <ATen/ops/maximum.h>

#include <cmath>
#include <map>

namespace {

constexpr double kLeastScale = 1e-6;  // of a channel whose weights are all zero

/// Puts a quantizer behind a value, unless it has one; returns the quantized value.
/// axis: of the weight's output channels, -1 = one scale for all. Shape: largest (channels) or (1).
std::string quantized(topress::Model& model,
                      const std::string& value,
                      const at::Tensor& largest,
                      std::int64_t bits,
                      bool is_signed,
                      std::int64_t axis) {
    const double highest = std::exp2(is_signed ? bits - 1 : bits) - 1;
    const std::string name = value + ".quantize";
    model.add_parameter(name + ".scale", "scale", largest.div(highest).clamp_min(kLeastScale));
    model.add_node(name,
                   "quantize",
                   {value, name + ".scale"},
                   {name + ".out"},
                   {{"bits", bits}, {"signed", is_signed}, {"axis", axis}});
    return name + ".out";
}

/// Largest magnitude and sign of an activation, as seen so far.
struct Range {
    at::Tensor largest;
    bool is_signed = false;
};

class TEMPLATE_CLASS : public topress::Technique {
    void configure(const topress::Params& params) override {
        bits_ = params.get<std::int64_t>("bits");
        batches_ = params.get<std::int64_t>("calibration_batches");
    }

    void apply(topress::Model& model, topress::Context& context) override {
        std::vector<topress::NodeView> layers;
        for (const topress::NodeView& node : model.nodes()) {
            if (node.op == "quantize") {
                throw topress::PluginError(
                    TOPRESS_ERROR_UNSUPPORTED, "the network is quantized already", node.name);
            }
            if (node.op == "conv2d" || node.op == "linear") {
                layers.push_back(node);
            }
        }
        if (layers.empty()) {
            throw topress::PluginError(TOPRESS_ERROR_UNSUPPORTED,
                                       "the network has no layer that could be quantized");
        }
        const auto ranges = measure(model, context, layers);
        std::map<std::string, std::string> done;  // layers may share an input or a weight
        for (const topress::NodeView& layer : layers) {
            const std::string& input = layer.inputs.at(0);
            const std::string& weight = layer.inputs.at(1);
            if (done.count(input) == 0) {
                const Range& range = ranges.at(input);
                done[input] = quantized(model, input, range.largest, bits_, range.is_signed, -1);
            }
            if (done.count(weight) == 0) {
                const at::Tensor rows = model.parameter(weight).detach().flatten(1);
                done[weight] = quantized(model, weight, rows.abs().amax(1), bits_, true, 0);
            }
            model.replace_input(layer.name, 0, done[input]);
            model.replace_input(layer.name, 1, done[weight]);
        }
        context.metric("quantized_layers", static_cast<double>(layers.size()));
    }

    /// The range of every layer's input over some training batches.
    std::map<std::string, Range> measure(const topress::Model& model,
                                         topress::Context& context,
                                         const std::vector<topress::NodeView>& layers) const {
        std::map<std::string, Range> ranges;
        std::vector<std::string> inputs;
        for (const topress::NodeView& layer : layers) {
            if (ranges.try_emplace(layer.inputs.at(0)).second) {
                inputs.push_back(layer.inputs.at(0));
            }
        }
        auto reader = context.batches(topress::Split::Train, 0, true, context.random());
        for (std::int64_t i = 0; i < batches_; ++i) {
            const auto batch = reader.next();
            if (!batch) {
                break;
            }
            const auto seen = model.observe(batch->images, inputs);
            for (std::size_t v = 0; v < inputs.size(); ++v) {
                Range& range = ranges[inputs[v]];
                const at::Tensor largest = seen[v].abs().max().reshape({1});
                range.largest =
                    range.largest.defined() ? at::maximum(range.largest, largest) : largest;
                range.is_signed = range.is_signed || seen[v].min().item<double>() < 0;
            }
        }
        return ranges;
    }

    std::int64_t bits_ = 8;
    std::int64_t batches_ = 1;
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("TEMPLATE_TECHNIQUE", TEMPLATE_CLASS));
