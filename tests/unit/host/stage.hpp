// A stage to test in: a small data set, a small network, and a technique made from a function.
#pragma once

#include "base/error.hpp"
#include "network/graph.hpp"
#include "plugin/host_stage.hpp"
#include "plugin/host_tables.hpp"
#include "plugin/library.hpp"
#include "train/trainer.hpp"
#include "zoo/zoo.hpp"

#include <topress/plugin.hpp>

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>

namespace topress::test {

using Body = std::function<void(Model&, Context&)>;

/// What the technique below does.
inline Body g_body;

class FunctionTechnique : public Technique {
  public:
    void apply(Model& model, Context& context) override { g_body(model, context); }
};

inline constexpr detail::TechniqueFactory kFactories[] = {
    {"test.function", &detail::make_technique<FunctionTechnique>}};

/// Three classes of 1x8x8 pictures that differ in which third is bright.
inline data::Samples make_samples(std::int64_t count, std::uint64_t seed) {
    at::manual_seed(seed);
    data::Samples samples{at::randint(0, 60, {count, 1, 8, 8}).to(at::kByte),
                          at::arange(count).remainder(3)};
    for (std::int64_t i = 0; i < count; ++i) {
        samples.images[i][0].narrow(0, 2 * (i % 3), 3).add_(150);
    }
    return samples;
}

inline train::TrainingData make_data() {
    train::TrainingData data;
    data.train = make_samples(60, 1);
    data.validation = make_samples(24, 2);
    data.test = make_samples(3, 3);
    data.normalisation = {{0.3}, {0.3}};
    data.classes = {"top", "middle", "bottom"};
    return data;
}

inline train::TrainingDefaults make_defaults() {
    train::TrainingDefaults defaults;
    defaults.batch_size = 12;
    defaults.schedule = "constant";
    defaults.learning_rate = 0.05;
    return defaults;
}

/// c (conv 4) -> b (batch norm) -> r (relu) -> p (max pool) -> f (flatten) -> l (linear 3).
inline network::Network make_network(std::uint64_t seed = 1) {
    using network::Role;
    using Integers = std::vector<std::int64_t>;
    at::manual_seed(seed);
    network::Network net;
    net.set_input({"x", {1, 8, 8}});
    net.add_parameter("c.weight", Role::Weight, at::randn({4, 1, 3, 3}).mul_(0.3));
    net.add_parameter("b.gamma", Role::Norm, at::ones({4}));
    net.add_parameter("b.beta", Role::Norm, at::zeros({4}));
    net.add_parameter("b.mean", Role::Buffer, at::zeros({4}));
    net.add_parameter("b.var", Role::Buffer, at::ones({4}));
    net.add_parameter("l.weight", Role::Weight, at::randn({3, 64}).mul_(0.1));
    net.add_parameter("l.bias", Role::Bias, at::zeros({3}));
    net.add_node({"c", "conv2d", {"x", "c.weight"}, {"c.out"}, {{"padding", Integers{1, 1}}}},
                 true);
    net.add_node({"b",
                  "batch_norm",
                  {"c.out", "b.gamma", "b.beta", "b.mean", "b.var"},
                  {"b.out"},
                  {{"epsilon", 1e-5}}},
                 true);
    net.add_node({"r", "relu", {"b.out"}, {"r.out"}, {}}, true);
    net.add_node({"p",
                  "max_pool",
                  {"r.out"},
                  {"p.out"},
                  {{"kernel", Integers{2, 2}}, {"stride", Integers{2, 2}}}},
                 true);
    net.add_node({"f", "flatten", {"p.out"}, {"f.out"}, {}}, true);
    net.add_node({"l", "linear", {"f.out", "l.weight", "l.bias"}, {"l.out"}, {}}, true);
    net.set_output("l.out");
    return net;
}

/// Runs functions as the technique of a stage. `model`, `original` and `services` are the host's
/// side.
class Stage {
  public:
    Stage() : Stage(make_network()) {}

    explicit Stage(network::Network network) : model(std::move(network)), original(model.clone()) {
        topress::detail::g_host = &plugin::host_interface();
        services.trainer = &trainer;
        services.label = "label";
        services.seed = 7;
    }

    /// Throws what run_stage throws.
    void run(Body body) {
        g_body = std::move(body);
        plugin::TechniqueObject technique(detail::TechniqueTable<kFactories>::kTable,
                                          "test.function");
        plugin::run_stage(technique, model, original, services);
    }

    train::TrainingData data = make_data();
    train::Trainer trainer{data, make_defaults(), at::kCPU};
    plugin::StageServices services;
    network::Network model;
    network::Network original;
};

/// The PluginError that `action` throws; none is a failed check and gives TOPRESS_OK.
inline PluginError error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const PluginError& error) {
        return error;
    }
    FAIL_CHECK("no PluginError was thrown");
    return {TOPRESS_OK, ""};
}

inline topress_status status_of(const std::function<void()>& action) {
    return error_of(action).code();
}

inline bool contains(const std::string& text, const std::string& part) {
    const bool found = text.find(part) != std::string::npos;
    if (!found) {
        MESSAGE("'" << part << "' is not in: " << text);
    }
    return found;
}

}  // namespace topress::test
