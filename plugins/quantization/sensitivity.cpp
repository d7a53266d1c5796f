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
    const int fewest = std::min(kFewestBits, layer.weight_bits);
    const int least = layer.is_depthwise ? limits.minimum_depthwise_bits : fewest;
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

/// Logarithms of the probabilities that a network answers, or the numbers themselves, all batches
/// below each other.
at::Tensor answers(const Model& model, const std::vector<at::Tensor>& images, bool are_numbers) {
    std::vector<at::Tensor> rows;
    for (const at::Tensor& batch : images) {
        const at::Tensor output = model.forward(batch).back().to(at::kFloat);
        rows.push_back(are_numbers ? output : output.log_softmax(1));
    }
    return at::cat(rows);
}

/// How far answers moved: divergence of probabilities, mean squared change of numbers.
double divergence(const at::Tensor& from, const at::Tensor& to, bool are_numbers) {
    if (are_numbers) {
        return (from - to).square().mean().item<double>();
    }
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

/// Layers that get their bits together at one of the tried widths, and what it costs and loses.
struct Trial {
    std::vector<Layer> layers;
    Choice choice;
};

/// What a layer loses at every tried width.
std::string describe(const std::vector<Trial>& trials) {
    std::ostringstream text;
    text.precision(3);
    text << "sensitivity of " << trials.front().layers.front().node << ':';
    for (const auto& trial : trials) {
        const Layer& layer = trial.layers.front();
        text << " W" << layer.weight_bits << 'A' << layer.activation_bits << ' '
             << trial.choice.loss << ';';
    }
    return text.str();
}

/// BitOps with all layers quantized as they are given.
double given_bitops(const Model& model,
                    const std::vector<Layer>& layers,
                    const ActivationSamples& samples) {
    OwnedModel trial = model.clone();
    quantize_weights(trial, layers);
    quantize_activations(trial, layers, samples);
    return trial.cost().bitops;
}

[[noreturn]] void throw_too_dear(double least, double limit) {
    std::ostringstream text;
    text.precision(4);
    text << "the fewest bits that are tried still cost " << least
         << " BitOps, and bitops_cr allows " << limit
         << ": lower it, or weight_bits and activation_bits";
    throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT, text.str(), "bitops_cr");
}

}  // namespace

void choose_bits(std::vector<Layer>& layers,
                 const Model& model,
                 Context& context,
                 const MixtureLimits& limits) {
    const std::vector<Together> groups = free_groups(layers);
    const std::vector<at::Tensor> images = calibration_images(context, limits.batches);
    const ActivationSamples samples = sample_activations(model, context, layers, limits.batches);
    const bool are_numbers = context.info().is_regression();
    const at::Tensor told = answers(model, images, are_numbers);

    // Every item is the whole network with one group quantized: sums differ from the BitOps of the
    // network by what is common to all choices.
    std::vector<std::vector<Trial>> trials;
    std::vector<std::vector<Choice>> items;
    double given = 0;
    double fewest = 0;
    for (const Together& group : groups) {
        trials.emplace_back();
        for (int difference = -kLess; difference <= kMore; ++difference) {
            context.throw_if_cancelled();
            std::vector<Layer> alone;
            for (const std::size_t index : group) {
                alone.push_back(changed(layers[index], difference, limits));
            }
            const bool is_tried =
                std::any_of(trials.back().begin(), trials.back().end(), [&](const Trial& trial) {
                    return trial.layers.front().weight_bits == alone.front().weight_bits &&
                           trial.layers.front().activation_bits == alone.front().activation_bits;
                });
            if (difference != 0 && is_tried) {
                continue;  // clamped to what was tried before
            }
            OwnedModel trial = model.clone();
            quantize_weights(trial, alone);
            quantize_activations(trial, alone, samples);
            const double cost = trial.cost().bitops;
            given += difference == 0 ? cost : 0;
            const double loss = divergence(told, answers(trial, images, are_numbers), are_numbers);
            trials.back().push_back({alone, {cost, loss}});
        }
        context.log_debug(describe(trials.back()));
        context.progress(trials.size(), groups.size(), "sensitivity");
        items.emplace_back();
        double cheapest = trials.back().front().choice.cost;
        for (const Trial& trial : trials.back()) {
            items.back().push_back(trial.choice);
            cheapest = std::min(cheapest, trial.choice.cost);
        }
        fewest += cheapest;
    }
    double budget = given;
    if (limits.bitops > 0) {
        const double common = given_bitops(model, layers, samples) - given;
        budget = limits.bitops - common;
        if (fewest > budget) {
            throw_too_dear(fewest + common, limits.bitops);
        }
    }
    const std::vector<std::size_t> chosen = allocate(items, budget);
    for (std::size_t g = 0; g < chosen.size(); ++g) {
        for (std::size_t i = 0; i < groups[g].size(); ++i) {
            layers[groups[g][i]] = trials[g][chosen[g]].layers[i];
        }
    }
    context.log_info(describe(layers));
}

}  // namespace topress::quantization
