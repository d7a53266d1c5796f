// Which layer gets how many bits, and quantization-aware training.
#include "qat.hpp"

#include "sensitivity.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace topress::quantization {
namespace {

// Without a learning rate of its own, the stage takes this share of the run's.
constexpr double kLearningRateFactor = 0.1;
// A scale that trained down to zero would divide by zero.
constexpr double kLeastScale = 1e-6;
// Batches over which batch-norm statistics are measured again at the end.
constexpr std::uint64_t kStatisticsBatches = 50;

bool is_layer(const NodeView& node) {
    return node.op == "conv2d" || node.op == "linear";
}

/// One filter for each channel: few weights, and each sees little to average its error away.
bool is_depthwise(const Model& model, const NodeView& node) {
    if (node.op != "conv2d") {
        return false;
    }
    const auto shape = model.parameter(node.inputs.at(1)).sizes();
    return shape[1] == 1 && shape[0] > 1 && model.integer(node.name, "groups").value_or(1) > 1;
}

/// Values whose readers are outputs: the layer that makes one is a last layer.
std::set<std::string> output_values(const Model& model) {
    std::set<std::string> values{model.output()};
    for (const auto& exit : model.exits()) {
        values.insert(exit.logits);
    }
    return values;
}

}  // namespace

void Qat::configure(const Params& params) {
    weight_bits_ = params.get<int>("weight_bits");
    activation_bits_ = params.get<int>("activation_bits");
    first_last_ = params.get<std::string>("first_last");
    epochs_ = params.get<double>("epochs");
    learning_rate_ = params.get<double>("learning_rate");
    scale_factor_ = params.get<double>("scale_learning_rate_factor");
    is_mixed_ = params.get<std::string>("allocation") == "measured";
    minimum_depthwise_bits_ = params.get<int>("minimum_depthwise_bits");
    calibration_batches_ = params.get<int>("calibration_batches");
}

void Qat::apply(Model& model, Context& context) {
    auto layers = plan_layers(model);
    if (is_mixed_) {
        choose_bits(layers, model, context, {minimum_depthwise_bits_, calibration_batches_});
    }
    quantize_weights(model, layers);
    // Seen behind quantized weights, as they will be.
    quantize_activations(
        model, layers, sample_activations(model, context, layers, calibration_batches_));
    train(model, context);
    context.metric(
        "quantized_layers",
        static_cast<double>(std::count_if(
            layers.begin(), layers.end(), [](const Layer& l) { return l.weight_bits > 0; })));
}

std::vector<Layer> Qat::plan_layers(const Model& model) const {
    const auto outputs = output_values(model);
    std::vector<Layer> layers;
    for (const auto& node : model.nodes()) {
        if (node.op == "quantize") {
            throw PluginError(
                TOPRESS_ERROR_UNSUPPORTED, "the network is quantized already", node.name);
        }
        if (!is_layer(node)) {
            continue;
        }
        Layer layer{
            node.name, node.inputs.at(0), node.inputs.at(1), weight_bits_, activation_bits_};
        layer.is_depthwise = is_depthwise(model, node);
        if (layer.is_depthwise) {
            layer.weight_bits = std::max(layer.weight_bits, minimum_depthwise_bits_);
        }
        const bool outermost = layers.empty() || outputs.count(node.outputs.at(0)) != 0;
        if (outermost && first_last_ != "same") {
            layer.weight_bits = layer.activation_bits = first_last_ == "float" ? 0 : 8;
            layer.is_fixed = true;
        }
        layers.push_back(std::move(layer));
    }
    if (layers.empty()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "the network has no convolution or linear layer to quantize");
    }
    return layers;
}

void Qat::train(Model& model, Context& context) const {
    if (epochs_ > 0) {
        std::vector<std::string> scales;
        for (const auto& node : model.nodes()) {
            if (node.op == "quantize") {
                scales.push_back(node.inputs.at(1));
            }
        }
        FitOptions options;
        options.phase = "quantize";
        options.epochs = epochs_;
        if (learning_rate_ > 0) {
            options.learning_rate = learning_rate_;
        }
        options.learning_rate_factor = kLearningRateFactor;
        options.groups = {{"scale", "", scale_factor_, 0.0}};
        options.after_step = [scales](Model& trained, std::uint64_t, std::uint64_t) {
            for (const auto& name : scales) {
                trained.parameter(name).clamp_min_(kLeastScale);
            }
        };
        context.fit(model, options);
    }
    context.update_statistics(model, kStatisticsBatches);
}

}  // namespace topress::quantization
