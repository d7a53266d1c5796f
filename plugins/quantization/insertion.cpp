// Quantize nodes, where they go and what they begin with.
#include "insertion.hpp"

#include <topress/first_scales.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

namespace topress::quantization {
namespace {

Attributes quantize_attributes(int bits, bool is_signed, std::int64_t axis) {
    return {{"bits", std::int64_t{bits}}, {"signed", is_signed}, {"axis", axis}};
}

at::Tensor first_weight_scales(const Model& model, const Layer& layer) {
    return weight_scales(model.parameter(layer.weight), layer.weight_bits, layer.is_per_channel);
}

std::string weight_quantizer(const Layer& layer) {
    return layer.node + ".weight_quantize";
}

std::string value_quantizer(const std::string& value) {
    return value + ".quantize";
}

/// A value that layers read, and the widest of their wishes.
struct QuantizedValue {
    std::string name;
    int bits = 0;
};

std::vector<QuantizedValue> values_of(const std::vector<Layer>& layers) {
    std::vector<QuantizedValue> values;
    for (const auto& layer : layers) {
        if (layer.activation_bits == 0) {
            continue;
        }
        const auto found = std::find_if(values.begin(), values.end(), [&](const auto& value) {
            return value.name == layer.input;
        });
        if (found == values.end()) {
            values.push_back({layer.input, layer.activation_bits});
        } else {
            found->bits = std::max(found->bits, layer.activation_bits);
        }
    }
    return values;
}

void quantize_weight(Model& model, const Layer& layer) {
    const std::string name = weight_quantizer(layer);
    model.add_parameter(name + ".scale", "scale", first_weight_scales(model, layer));
    model.add_node(name,
                   "quantize",
                   {layer.weight, name + ".scale"},
                   {name + ".out"},
                   quantize_attributes(layer.weight_bits, true, layer.is_per_channel ? 0 : -1));
    model.replace_input(layer.node, 1, name + ".out");
}

void quantize_value(Model& model,
                    const QuantizedValue& value,
                    const at::Tensor& sample,
                    const std::vector<Layer>& layers) {
    const bool is_signed = has_negative(sample);
    const std::string name = value_quantizer(value.name);
    model.add_parameter(name + ".scale", "scale", best_scales(sample, value.bits, is_signed));
    model.add_node(name,
                   "quantize",
                   {value.name, name + ".scale"},
                   {name + ".out"},
                   quantize_attributes(value.bits, is_signed, -1));
    for (const auto& layer : layers) {
        if (layer.input == value.name && layer.activation_bits > 0) {
            model.replace_input(layer.node, 0, name + ".out");
        }
    }
}

void change_node(
    Model& model, const std::string& node, int bits, bool is_signed, const at::Tensor& scales) {
    model.set_attribute(node, "bits", std::int64_t{bits});
    model.set_attribute(node, "signed", is_signed);
    model.set_parameter(node + ".scale", scales);
}

}  // namespace

ActivationSamples sample_activations(const Model& model,
                                     Context& context,
                                     const std::vector<Layer>& layers,
                                     int batches) {
    std::vector<std::string> values;
    for (const auto& value : values_of(layers)) {
        values.push_back(value.name);
    }
    std::vector<std::vector<at::Tensor>> parts(values.size());
    auto reader = context.batches(Split::Train, 0, true, context.random());
    for (int b = 0; b < batches; ++b) {
        const auto batch = reader.next();
        if (!batch) {
            break;
        }
        const auto seen = model.observe(batch->images, values);
        for (std::size_t v = 0; v < values.size(); ++v) {
            parts[v].push_back(sample_of(seen[v]));
        }
    }
    ActivationSamples samples;
    for (std::size_t v = 0; v < values.size(); ++v) {
        samples[values[v]] = at::cat(parts[v], 1);
    }
    return samples;
}

void quantize_weights(Model& model, const std::vector<Layer>& layers) {
    for (const auto& layer : layers) {
        if (layer.weight_bits > 0) {
            quantize_weight(model, layer);
        }
    }
}

void quantize_activations(Model& model,
                          const std::vector<Layer>& layers,
                          const ActivationSamples& samples) {
    for (const auto& value : values_of(layers)) {
        quantize_value(model, value, samples.at(value.name), layers);
    }
}

void change_bits(Model& model, const std::vector<Layer>& layers, const ActivationSamples& samples) {
    for (const auto& layer : layers) {
        if (layer.weight_bits > 0) {
            change_node(model,
                        weight_quantizer(layer),
                        layer.weight_bits,
                        true,
                        first_weight_scales(model, layer));
        }
    }
    for (const auto& value : values_of(layers)) {
        const at::Tensor& sample = samples.at(value.name);
        const bool is_signed = has_negative(sample);
        change_node(model,
                    value_quantizer(value.name),
                    value.bits,
                    is_signed,
                    best_scales(sample, value.bits, is_signed));
    }
}

}  // namespace topress::quantization
