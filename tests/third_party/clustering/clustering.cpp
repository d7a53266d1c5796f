// Weight sharing. Source: Han et al. 2016, "Deep compression", arXiv 1510.00149.
#include "clustering.hpp"

#include "codebook.hpp"
#include "lookup.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace example::clustering {

using topress::Context;
using topress::Model;
using topress::NodeView;

void KMeans::configure(const topress::Params& params) {
    bits_ = params.get<std::int64_t>("bits");
    iterations_ = params.get<std::int64_t>("iterations");
    elements_per_value_ = params.get<std::int64_t>("elements_per_value");
    epochs_ = params.get<double>("epochs");
    learning_rate_factor_ = params.get<double>("learning_rate_factor");
}

/// Convolutions and linear layers that read a parameter of their own, large enough to share.
std::vector<NodeView> KMeans::layers_of(const Model& model) const {
    const auto names = model.parameters();
    const std::int64_t least = elements_per_value_ << bits_;
    std::vector<NodeView> layers;
    for (const NodeView& node : model.nodes()) {
        const bool is_layer = node.op == "conv2d" || node.op == "linear";
        if (is_layer && std::find(names.begin(), names.end(), node.inputs.at(1)) != names.end() &&
            model.parameter(node.inputs[1]).numel() >= least) {
            layers.push_back(node);
        }
    }
    return layers;
}

std::string KMeans::share(Model& model, const NodeView& layer) const {
    const std::string& weight = layer.inputs[1];
    const Codebook codebook =
        cluster(model.parameter(weight), std::int64_t{1} << bits_, iterations_);
    const std::string name = layer.name + ".lookup";
    model.add_parameter(name + ".indices", "buffer", codebook.indices);
    model.add_parameter(name + ".codebook", "weight", codebook.values);
    model.add_node(name, kLookup, {weight, name + ".indices", name + ".codebook"}, {name + ".out"});
    model.replace_input(layer.name, 1, name + ".out");
    return name + ".codebook";
}

void KMeans::fine_tune(Model& model,
                       Context& context,
                       const std::vector<std::string>& codebooks) const {
    topress::FitOptions options;
    options.phase = "cluster";
    options.epochs = epochs_;
    options.learning_rate_factor = learning_rate_factor_;
    for (const std::string& name : codebooks) {
        // A centroid stands for many weights: decay would pull it down that many times too weakly
        // or, summed up, too strongly; it has none.
        options.groups.push_back({"", name, 1.0, 0.0});
    }
    context.fit(model, options);
}

void KMeans::apply(Model& model, Context& context) {
    const std::vector<NodeView> layers = layers_of(model);
    std::vector<std::string> codebooks;
    for (const NodeView& layer : layers) {
        context.throw_if_cancelled();
        context.progress(codebooks.size() + 1, layers.size(), "cluster " + layer.name);
        codebooks.push_back(share(model, layer));
    }
    context.metric("clustered_layers", static_cast<double>(codebooks.size()));
    context.metric("values_per_layer", static_cast<double>(std::int64_t{1} << bits_));
    if (codebooks.empty()) {
        context.log_warn("no layer has enough weights to share");
        return;
    }
    if (epochs_ > 0) {
        fine_tune(model, context, codebooks);
    }
}

}  // namespace example::clustering
