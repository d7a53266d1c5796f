// Networks as files: the graph as a metadata entry of a safetensors container.
#include "network/serialize.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "network/custom.hpp"
#include "network/graph_json.hpp"
#include "network/operators.hpp"
#include "network/plan.hpp"
#include "network/safetensors.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <unordered_map>

namespace topress::network {
namespace {

constexpr std::string_view kPrefix = "topress.";
constexpr std::string_view kGraphKey = "topress.graph";

/// Outputs that early exit can mix: every exit gives as many logits as the network, for each
/// sample.
void check_outputs(const Network& network) {
    const auto shapes = infer_shapes(network);
    const auto plan = plan_of(network);
    const Shape& expected = shapes.at(network.output());
    for (const Exit& exit : network.exits()) {
        if (expected.size() != 1 || shapes.at(exit.logits) != expected) {
            throw Error("network/bad-exit",
                        "exit '" + exit.name + "' and the output have different shapes",
                        exit.name);
        }
    }
    for (const Segment& segment : plan->segments) {
        const Source& target = segment.targets[0];
        if (plan->constant_slots[target.index]) {
            throw Error("network/bad-file", "graph: an output does not depend on the input");
        }
    }
}

/// Gives out each tensor once, by name.
class TensorShelf {
  public:
    explicit TensorShelf(const SafeTensors& content) {
        for (const auto& [name, tensor] : content.tensors) {
            tensors_[name] = tensor;
        }
    }

    [[nodiscard]] at::Tensor take(const std::string& name) {
        const auto found = tensors_.find(name);
        if (found == tensors_.end()) {
            throw Error("network/bad-file", "the tensor of parameter '" + name + "' is missing");
        }
        at::Tensor tensor = std::move(found->second);
        tensors_.erase(found);
        return tensor;
    }

    void check_empty() const {
        if (!tensors_.empty()) {
            throw Error("network/bad-file",
                        "tensor '" + tensors_.begin()->first + "' belongs to no parameter");
        }
    }

  private:
    std::unordered_map<std::string, at::Tensor> tensors_;
};

}  // namespace

std::string to_bytes(const Network& network, const std::map<std::string, std::string>& metadata) {
    if (const auto custom = custom_nodes(network); !custom.empty()) {
        throw Error("network/custom-operator",
                    "node '" + custom.front() + "' has an operator that only its plugin knows",
                    custom.front(),
                    "lower the custom operators before the network is saved");
    }
    SafeTensors content;
    for (const auto& [key, text] : metadata) {
        content.metadata[std::string(kPrefix) + key] = text;
    }
    content.metadata[std::string(kGraphKey)] = graph_to_json(network);
    for (const Parameter& parameter : network.parameters()) {
        content.tensors.emplace_back(parameter.name, parameter.tensor);
    }
    return pack(content);
}

Network from_bytes(const std::string& bytes, const std::string& name_for_errors) {
    const SafeTensors content = unpack(bytes, name_for_errors);
    const auto graph = content.metadata.find(std::string(kGraphKey));
    if (graph == content.metadata.end()) {
        throw_bad_file(name_for_errors, "it holds tensors, but no topress.graph");
    }
    TensorShelf shelf(content);
    try {
        Network network = graph_from_json(
            graph->second, [&](const std::string& name) { return shelf.take(name); });
        shelf.check_empty();
        if (!custom_nodes(network).empty()) {  // known here only because its plugin is loaded
            throw Error("network/bad-file", "graph: an operator is not a built-in one");
        }
        check_outputs(network);
        return network;
    } catch (const Error& error) {
        throw_bad_file(name_for_errors, error.what());
    }
}

void save_network(const Network& network,
                  const std::filesystem::path& path,
                  const std::map<std::string, std::string>& metadata) {
    write_file_atomically(path, to_bytes(network, metadata));
}

Network load_network(const std::filesystem::path& path) {
    return from_bytes(read_file(path), path.string());
}

std::map<std::string, std::string> load_metadata(const std::filesystem::path& path) {
    const SafeTensors content = unpack(read_file(path), path.string());
    std::map<std::string, std::string> result;
    for (const auto& [key, text] : content.metadata) {
        if (key.starts_with(kPrefix) && key != kGraphKey) {
            result[key.substr(kPrefix.size())] = text;
        }
    }
    return result;
}

}  // namespace topress::network
