// Runs the network once for every layer and width.
#include "sensitivity.hpp"

#include "allocation.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

namespace topress::quantization {
namespace {

constexpr int kFewestBits = 2;
constexpr int kMostBits = 8;
constexpr int kLess = 2;
constexpr int kMore = 3;

/// Indices of layers that get their bits together, because they read one value.
using Together = std::vector<std::size_t>;

std::vector<Together> free_groups(const std::vector<Layer>& layers) {
    std::map<std::string, Together> by_input;
    std::vector<std::string> order;
    std::map<std::string, bool> is_fixed;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (by_input.count(layers[i].input) == 0) {
            order.push_back(layers[i].input);
        }
        by_input[layers[i].input].push_back(i);
        is_fixed[layers[i].input] = is_fixed[layers[i].input] || layers[i].is_fixed;
    }
    std::vector<Together> groups;
    for (const auto& input : order) {
        if (!is_fixed[input]) {
            groups.push_back(by_input[input]);
        }
    }
    return groups;
}

Layer changed(Layer layer, int difference, const MixtureLimits& limits) {
    const int least = layer.is_depthwise ? limits.minimum_depthwise_bits : kFewestBits;
    layer.weight_bits = std::clamp(layer.weight_bits + difference, least, kMostBits);
    layer.activation_bits = std::clamp(layer.activation_bits + difference, kFewestBits, kMostBits);
    return layer;
}

std::vector<at::Tensor> calibration_images(Context& context, int batches) {
    std::vector<at::Tensor> images;
    auto reader = context.batches(Split::Train, 0, true, context.random());
    while (static_cast<int>(images.size()) < batches) {
        const auto batch = reader.next();
        if (!batch) {
            break;
        }
        images.push_back(batch->images);
    }
    return images;
}

/// Logarithms of the probabilities that a network answers, all batches below each other.
at::Tensor answers(const Model& model, const std::vector<at::Tensor>& images) {
    std::vector<at::Tensor> rows;
    for (const at::Tensor& batch : images) {
        rows.push_back(model.forward(batch).back().to(at::kFloat).log_softmax(1));
    }
    return at::cat(rows);
}

double divergence(const at::Tensor& from, const at::Tensor& to) {
    const double sum = (from.exp() * (from - to)).sum().to(at::kDouble).item<double>();
    return std::max(sum / static_cast<double>(from.size(0)), 0.0);
}

std::string describe(const std::vector<Layer>& layers) {
    std::map<std::string, int> counts;
    for (const auto& layer : layers) {
        if (!layer.is_fixed) {
            std::ostringstream bits;
            bits << 'W' << layer.weight_bits << 'A' << layer.activation_bits;
            ++counts[bits.str()];
        }
    }
    std::ostringstream text;
    text << "bits by sensitivity:";
    for (const auto& [bits, count] : counts) {
        text << ' ' << count << " x " << bits;
    }
    return text.str();
}

/// What a layer loses at every tried width.
std::string describe(const Layer& layer,
                     const std::vector<Choice>& choices,
                     const std::vector<int>& differences) {
    std::ostringstream text;
    text.precision(3);
    text << "sensitivity of " << layer.node << ':';
    for (std::size_t c = 0; c < choices.size(); ++c) {
        text << ' ' << layer.weight_bits + differences[c] << " bits " << choices[c].loss << ';';
    }
    return text.str();
}

}  // namespace

void choose_bits(std::vector<Layer>& layers,
                 const Model& model,
                 Context& context,
                 const MixtureLimits& limits) {
    const std::vector<Together> groups = free_groups(layers);
    const std::vector<at::Tensor> images = calibration_images(context, limits.batches);
    const ActivationSamples samples = sample_activations(model, context, layers, limits.batches);
    const at::Tensor told = answers(model, images);

    std::vector<std::vector<Choice>> items;
    std::vector<std::vector<int>> differences;
    double budget = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        items.emplace_back();
        differences.emplace_back();
        std::vector<std::pair<int, int>> tried;
        for (int difference = -kLess; difference <= kMore; ++difference) {
            context.throw_if_cancelled();
            std::vector<Layer> alone;
            for (const std::size_t index : groups[g]) {
                alone.push_back(changed(layers[index], difference, limits));
            }
            const std::pair<int, int> bits{alone[0].weight_bits, alone[0].activation_bits};
            if (difference != 0 && std::find(tried.begin(), tried.end(), bits) != tried.end()) {
                continue;  // clamped to what was tried before
            }
            tried.push_back(bits);
            OwnedModel trial = model.clone();
            quantize_weights(trial, alone);
            quantize_activations(trial, alone, samples);
            // All other layers in float: the same for every width of this one.
            const double cost = trial.cost().bitops;
            items[g].push_back({cost, divergence(told, answers(trial, images))});
            differences[g].push_back(difference);
            if (difference == 0) {
                budget += cost;
            }
        }
        context.log_debug(describe(layers[groups[g].front()], items[g], differences[g]));
        context.progress(g + 1, groups.size(), "sensitivity");
    }
    const std::vector<std::size_t> chosen = allocate(items, budget);
    for (std::size_t g = 0; g < chosen.size(); ++g) {
        for (const std::size_t index : groups[g]) {
            layers[index] = changed(layers[index], differences[g][chosen[g]], limits);
        }
    }
    context.log_info(describe(layers));
}

}  // namespace topress::quantization
