// Small networks and rows for the tests of the pipeline.
#pragma once

#include "network/graph.hpp"
#include "pipeline/ledger.hpp"
#include "zoo/zoo.hpp"

#include <ATen/ATen.h>

#include <filesystem>
#include <string>

namespace topress::test {

/// A ResNet-8 on 1x16x16 pictures.
inline network::Network small_network() {
    return zoo::build(
        {.family = "resnet", .depth = 8, .width = 8, .classes = 10, .input_shape = {1, 16, 16}}, 3);
}

/// The first convolution of a network.
inline const network::Node& first_conv(const network::Network& network) {
    for (const network::Node& node : network.nodes()) {
        if (node.op == "conv2d") {
            return node;
        }
    }
    throw std::logic_error("no convolution");
}

/// Quantizes what input `index` of the node reads. By value: editing moves the nodes.
inline void quantize_input(network::Network& network,
                           std::string node,
                           std::size_t index,
                           std::int64_t bits) {
    const std::string value = network.node(node).inputs.at(index);
    const std::string name = "quantize." + value;
    network.add_parameter(name + ".scale", network::Role::Scale, at::full({1}, 0.1));
    network.add_node({name,
                      "quantize",
                      {value, name + ".scale"},
                      {name + ".out"},
                      {{"bits", bits}, {"signed", true}, {"axis", std::int64_t{-1}}}});
    network.replace_input(node, index, name + ".out");
}

/// An exit after the first convolution.
inline void attach_exit(network::Network& network, const std::string& name, double threshold) {
    const std::string value = first_conv(network).outputs.front();
    const std::int64_t channels =
        network.parameter(first_conv(network).inputs.at(1)).tensor.size(0);
    network.add_parameter(name + ".weight", network::Role::Weight, at::ones({10, channels}));
    network.add_node({name + ".pool", "global_avg_pool", {value}, {name + ".pooled"}, {}});
    network.add_node({name + ".flatten", "flatten", {name + ".pooled"}, {name + ".flat"}, {}});
    network.add_node(
        {name + ".linear", "linear", {name + ".flat", name + ".weight"}, {name + ".logits"}, {}});
    network::Exit exit;
    exit.name = name;
    exit.logits = name + ".logits";
    exit.threshold = threshold;
    network.add_exit(exit);
}

/// A folder of its own that is removed with the object.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "topress-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }

    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// A row with every field set.
inline pipeline::Row full_row() {
    pipeline::Row row;
    row.stage = "cut, \"deep\"";
    row.technique = "some.technique";
    row.accuracy = 0.875;
    row.test_accuracy = 0.8125;
    row.macs = 1159402496;
    row.bitops = 1234567.25;
    row.bitops_cr = 961.5;
    row.parameters = 21282122;
    row.stored_bytes = 4096;
    row.cr = 8;
    row.seconds = 1.5;
    row.latency_ms = 2.25;
    row.latency_ratio = 0.5;
    row.peak_memory_bytes = 1 << 20;
    row.exits = {{"exit0", 0.9, 0.75, 0.99, {}}, {"main output", NAN, 0.25, NAN, {}}};
    row.metrics = {{"removed_ratio", 0.5}};
    row.curves = {{"fine-tune", 1, 0.25, 0.9, 0.01, 3.5}};
    return row;
}

}  // namespace topress::test
