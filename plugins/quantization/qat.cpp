// Inserting quantize nodes, calibrating their scales, quantization-aware training.
#include "qat.hpp"

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
// Scales tried between the smallest and the one that clips nothing.
constexpr int kScaleCandidates = 40;
// Elements of an activation that calibration keeps per batch.
constexpr std::int64_t kSampledElements = 1 << 15;
// Batches over which batch-norm statistics are measured again at the end.
constexpr std::uint64_t kStatisticsBatches = 50;

bool is_layer(const NodeView& node) {
    return node.op == "conv2d" || node.op == "linear";
}

double highest(int bits, bool is_signed) {
    return std::exp2(is_signed ? bits - 1 : bits) - 1;
}

double lowest(int bits, bool is_signed) {
    return is_signed ? -std::exp2(bits - 1) : 0;
}

/// The scale of every row, among fractions of the largest one that clips nothing, with the least
/// squared error. Shape: values (rows, N) -> (rows).
at::Tensor best_scales(const at::Tensor& values, int bits, bool is_signed) {
    const double high = highest(bits, is_signed);
    const at::Tensor largest = (values.abs().amax(1) / high).clamp_min(kLeastScale);
    at::Tensor best = largest.clone();
    at::Tensor least = at::full_like(largest, std::numeric_limits<double>::infinity());
    for (int i = kScaleCandidates; i >= 1; --i) {
        const at::Tensor scale =
            (largest * (static_cast<double>(i) / kScaleCandidates)).clamp_min(kLeastScale);
        const at::Tensor step = scale.unsqueeze(1);
        const at::Tensor rounded =
            (values / step).round().clamp(lowest(bits, is_signed), high) * step;
        const at::Tensor error = (rounded - values).square().sum(1);
        const at::Tensor better = error < least;
        best = at::where(better, scale, best);
        least = at::where(better, error, least);
    }
    return best.contiguous();
}

at::Tensor row_scales(const at::Tensor& weight, int bits) {
    return best_scales(weight.detach().reshape({weight.size(0), -1}), bits, true);
}

/// Evenly spread elements, as (1, N): enough for a scale, cheap to keep.
at::Tensor sample_of(const at::Tensor& activation) {
    const at::Tensor flat = activation.detach().reshape({1, -1});
    const std::int64_t stride = std::max<std::int64_t>(1, flat.size(1) / kSampledElements);
    return flat.slice(1, 0, flat.size(1), stride).clone();
}

Attributes quantize_attributes(int bits, bool is_signed, std::int64_t axis) {
    return {{"bits", std::int64_t{bits}}, {"signed", is_signed}, {"axis", axis}};
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
    calibration_batches_ = params.get<int>("calibration_batches");
}

void Qat::apply(Model& model, Context& context) {
    const auto layers = plan_layers(model);
    quantize_weights(model, layers);
    quantize_activations(model, context, layers);
    train(model, context);
    context.metric(
        "quantized_layers",
        static_cast<double>(std::count_if(
            layers.begin(), layers.end(), [](const Layer& l) { return l.weight_bits > 0; })));
}

std::vector<Qat::Layer> Qat::plan_layers(const Model& model) const {
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
        const bool outermost = layers.empty() || outputs.count(node.outputs.at(0)) != 0;
        if (outermost && first_last_ != "same") {
            layer.weight_bits = layer.activation_bits = first_last_ == "float" ? 0 : 8;
        }
        layers.push_back(std::move(layer));
    }
    if (layers.empty()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "the network has no convolution or linear layer to quantize");
    }
    return layers;
}

void Qat::quantize_weights(Model& model, const std::vector<Layer>& layers) const {
    for (const auto& layer : layers) {
        if (layer.weight_bits == 0) {
            continue;
        }
        const std::string name = layer.node + ".weight_quantize";
        model.add_parameter(
            name + ".scale", "scale", row_scales(model.parameter(layer.weight), layer.weight_bits));
        model.add_node(name,
                       "quantize",
                       {layer.weight, name + ".scale"},
                       {name + ".out"},
                       quantize_attributes(layer.weight_bits, true, 0));
        model.replace_input(layer.node, 1, name + ".out");
    }
}

void Qat::quantize_activations(Model& model,
                               Context& context,
                               const std::vector<Layer>& layers) const {
    // Layers that read the same value share a quantizer; the widest of their wishes counts.
    std::map<std::string, int> bits;
    std::vector<std::string> values;
    for (const auto& layer : layers) {
        if (layer.activation_bits == 0) {
            continue;
        }
        if (bits.count(layer.input) == 0) {
            values.push_back(layer.input);
        }
        bits[layer.input] = std::max(bits[layer.input], layer.activation_bits);
    }
    std::vector<std::vector<at::Tensor>> samples(values.size());
    auto reader = context.batches(Split::Train, 0, true, context.random());
    for (int b = 0; b < calibration_batches_; ++b) {
        const auto batch = reader.next();
        if (!batch) {
            break;
        }
        const auto seen = model.observe(batch->images, values);
        for (std::size_t v = 0; v < values.size(); ++v) {
            samples[v].push_back(sample_of(seen[v]));
        }
    }
    for (std::size_t v = 0; v < values.size(); ++v) {
        const at::Tensor sample = at::cat(samples[v], 1);
        const bool is_signed = sample.min().item<double>() < 0;
        const at::Tensor scale = best_scales(sample, bits[values[v]], is_signed);
        const std::string name = values[v] + ".quantize";
        model.add_parameter(name + ".scale", "scale", scale);
        model.add_node(name,
                       "quantize",
                       {values[v], name + ".scale"},
                       {name + ".out"},
                       quantize_attributes(bits[values[v]], is_signed, -1));
        for (const auto& layer : layers) {
            if (layer.input == values[v] && layer.activation_bits > 0) {
                model.replace_input(layer.node, 0, name + ".out");
            }
        }
    }
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
