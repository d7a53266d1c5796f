// Which layer gets how many bits, and quantization-aware training.
#include "qat.hpp"

#include "sensitivity.hpp"

#include <topress/follow_original.hpp>
#include <topress/scales.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <set>
#include <sstream>

namespace topress::quantization {
namespace {

// Without a learning rate of its own, the stage takes this share of the run's.
constexpr double kLearningRateFactor = 0.1;
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

std::vector<LayerBits> read_layer_bits(const std::vector<std::string>& texts) {
    std::vector<LayerBits> rules;
    for (const auto& text : texts) {
        auto rule = parse_layer_bits(text);
        if (!rule) {
            throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                              "'" + text +
                                  "' names no layers and bits: write 'stage3.*=W2A4' (W1 to "
                                  "W8, A2 to A8) or 'stage3.*=float'",
                              "layer_bits");
        }
        rules.push_back(std::move(*rule));
    }
    return rules;
}

/// Throws when a pattern fits no layer: nothing would happen, silently.
void require_fitting(const std::vector<LayerBits>& rules, const std::vector<Layer>& layers) {
    for (const auto& rule : rules) {
        const bool is_used = std::any_of(layers.begin(), layers.end(), [&](const Layer& layer) {
            return fits(rule.pattern, layer.node);
        });
        if (!is_used) {
            throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                              "no layer fits '" + rule.pattern + "'; the first is '" +
                                  layers.front().node + "', the last '" + layers.back().node +
                                  "' (topress cost lists all)",
                              "layer_bits");
        }
    }
}

/// The layers with at least so many bits, where they are quantized at all.
std::vector<Layer> widened(std::vector<Layer> layers, int bits) {
    for (auto& layer : layers) {
        layer.weight_bits = layer.weight_bits == 0 ? 0 : std::max(layer.weight_bits, bits);
        layer.activation_bits =
            layer.activation_bits == 0 ? 0 : std::max(layer.activation_bits, bits);
    }
    return layers;
}

}  // namespace

void Qat::configure(const Params& params) {
    weight_bits_ = params.get<int>("weight_bits");
    activation_bits_ = params.get<int>("activation_bits");
    is_per_channel_ = params.get<std::string>("weight_scales") == "per-channel";
    first_last_ = params.get<std::string>("first_last");
    epochs_ = params.get<double>("epochs");
    learning_rate_ = params.get<double>("learning_rate");
    original_weight_ = params.get<double>("original_weight");
    scale_factor_ = params.get<double>("scale_learning_rate_factor");
    minimum_depthwise_bits_ = params.get<int>("minimum_depthwise_bits");
    calibration_batches_ = params.get<int>("calibration_batches");
    layer_bits_ = read_layer_bits(params.get<std::vector<std::string>>("layer_bits"));
    bitops_cr_ = params.get<double>("bitops_cr");
    is_mixed_ = bitops_cr_ > 0 || params.get<std::string>("allocation") == "measured";
    for (const auto bits : params.get<std::vector<std::int64_t>>("progressive_bits")) {
        passed_bits_.push_back(static_cast<int>(bits));
    }
    std::sort(passed_bits_.begin(), passed_bits_.end(), std::greater<>());
}

void Qat::apply(Model& model, Context& context) {
    auto layers = plan_layers(model);
    if (is_mixed_) {
        choose_bits(layers,
                    model,
                    context,
                    {minimum_depthwise_bits_, bitops_limit(context), calibration_batches_});
    }
    const auto sample = [&] {
        return sample_activations(model, context, layers, calibration_batches_);
    };
    const auto passed = epochs_ > 0 ? passed_bits_ : std::vector<int>();
    const double epochs = epochs_ / static_cast<double>(passed.size() + 1);
    const auto first = passed.empty() ? layers : widened(layers, passed.front());
    quantize_weights(model, first);
    // Seen behind quantized weights, as they will be.
    quantize_activations(model, first, sample());
    for (std::size_t i = 0; i < passed.size(); ++i) {
        std::ostringstream phase;
        phase << "quantize-" << passed[i];
        train(model, context, epochs, phase.str().c_str());
        const bool is_last = i + 1 == passed.size();
        change_bits(model, is_last ? layers : widened(layers, passed[i + 1]), sample());
    }
    train(model, context, epochs, "quantize");
    context.update_statistics(model, kStatisticsBatches);
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
        layer.is_per_channel = is_per_channel_;
        layer.is_depthwise = is_depthwise(model, node);
        if (layer.is_depthwise) {
            layer.weight_bits = std::max(layer.weight_bits, minimum_depthwise_bits_);
        }
        const bool outermost = layers.empty() || outputs.count(node.outputs.at(0)) != 0;
        if (outermost && first_last_ != "same") {
            layer.weight_bits = layer.activation_bits = first_last_ == "float" ? 0 : 8;
            layer.is_fixed = true;
        }
        name_bits(layer);
        layers.push_back(std::move(layer));
    }
    if (layers.empty()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "the network has no convolution or linear layer to quantize");
    }
    require_fitting(layer_bits_, layers);
    return layers;
}

void Qat::name_bits(Layer& layer) const {
    if (const auto bits = bits_for(layer_bits_, layer.node)) {
        layer.weight_bits = bits->weight;
        layer.activation_bits = bits->activation;
        layer.is_fixed = true;
    }
}

double Qat::bitops_limit(Context& context) const {
    return bitops_cr_ > 0 ? context.original().cost().bitops / bitops_cr_ : 0;
}

void Qat::train(Model& model, Context& context, double epochs, const char* phase) const {
    if (epochs <= 0) {
        return;
    }
    FitOptions options;
    options.phase = phase;
    options.epochs = epochs;
    options.learning_rate = learning_rate_;  // 0 = the run's
    options.learning_rate_factor = kLearningRateFactor;
    follow_original(options, context.original(), original_weight_, context.info().loss);
    guard_scales(options, model, scale_factor_);
    context.fit(model, options);
}

}  // namespace topress::quantization
