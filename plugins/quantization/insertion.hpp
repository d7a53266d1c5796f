// Quantize nodes with their first scales: where they go, and from what the scales come.
#pragma once

#include <topress/context.hpp>
#include <topress/model.hpp>

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace topress::quantization {

/// A convolution or linear layer and the precision it is to get; 0 bits = left in float.
struct Layer {
    std::string node;
    std::string input;
    std::string weight;
    int weight_bits = 0;
    int activation_bits = 0;
    bool is_per_channel = true;  ///< one scale of the weights per output channel; else one in all
    bool is_depthwise = false;
    bool is_fixed = false;  ///< bits of its own: the first and the last, or named by the user
};

/// Values that layers read, by name: evenly spread elements, (1, N).
using ActivationSamples = std::map<std::string, at::Tensor>;

/// Runs a few augmented training batches and keeps what scales are made from.
[[nodiscard]] ActivationSamples sample_activations(const Model& model,
                                                   Context& context,
                                                   const std::vector<Layer>& layers,
                                                   int batches);

/// Puts quantize nodes before the weights of every layer with bits: signed, with scales of least
/// squared error.
void quantize_weights(Model& model, const std::vector<Layer>& layers);

/// Puts quantize nodes before the inputs: one scale of least squared error on the samples, signed
/// only if negative values were seen. Layers that read the same value share a quantizer; the widest
/// of their wishes counts.
void quantize_activations(Model& model,
                          const std::vector<Layer>& layers,
                          const ActivationSamples& samples);

/// Gives quantize nodes that stand already other bits and, from the same sources, new scales.
void change_bits(Model& model, const std::vector<Layer>& layers, const ActivationSamples& samples);

}  // namespace topress::quantization
