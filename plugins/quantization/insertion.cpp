// Quantize nodes, and scales by trying some.
#include "insertion.hpp"

#include <topress/scales.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace topress::quantization {
namespace {

// Scales tried between the smallest and the one that clips nothing.
constexpr int kScaleCandidates = 40;
// Elements of an activation that calibration keeps per batch.
constexpr std::int64_t kSampledElements = 1 << 15;

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

/// The scales of a layer's weight: as many as output channels, or one.
at::Tensor weight_scales(const Model& model, const Layer& layer) {
    const at::Tensor weight = model.parameter(layer.weight).detach();
    const at::Tensor rows = weight.reshape({layer.is_per_channel ? weight.size(0) : 1, -1});
    if (layer.weight_bits == 1) {
        return rows.abs().mean(1).clamp_min(kLeastScale);  // of least squared error for a sign
    }
    return best_scales(rows, layer.weight_bits, true);
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

std::string weight_quantizer(const Layer& layer) {
    return layer.node + ".weight_quantize";
}

std::string value_quantizer(const std::string& value) {
    return value + ".quantize";
}

bool has_negative(const at::Tensor& sample) {
    return sample.min().item<double>() < 0;
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
    model.add_parameter(name + ".scale", "scale", weight_scales(model, layer));
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
                        weight_scales(model, layer));
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
