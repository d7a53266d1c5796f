// The registry of custom operators, and their lowering with the comparison that goes with it.
#include "network/custom.hpp"

#include "base/error.hpp"
#include "network/execute.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <deque>
#include <mutex>
#include <set>

namespace topress::network {
namespace {

// The same sums in another order differ in the last bits; another formula in much more.
constexpr double kLimit = 1e-4;
constexpr std::int64_t kSamples = 3;
constexpr std::uint64_t kSeed = 20240317;

/// One registered operator; its address and that of `name` hold for good.
struct Registered {
    std::string name;
    Operator op;
};

/// Appended to only; a deque does not move what it holds.
struct Registry {
    std::mutex mutex;
    std::deque<Registered> operators;
};

Registry& registry() {
    static Registry instance;
    return instance;
}

[[noreturn]] void throw_bad_operator(std::string_view name, const std::string& what) {
    throw Error("network/bad-operator",
                "operator '" + std::string(name.substr(0, 80)) + "' " + what,
                std::string(name.substr(0, 80)),
                "give it a name that begins with the plugin's id: \"org.example.cluster.lookup\"");
}

bool is_reverse_dns(std::string_view name) {
    bool dotted = false;
    bool at_start = true;  // of a part between dots
    for (const char c : name) {
        const bool letter = c >= 'a' && c <= 'z';
        const bool later = (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (c == '.' ? at_start : !(letter || (later && !at_start))) {
            return false;
        }
        dotted = dotted || c == '.';
        at_start = c == '.';
    }
    return dotted && !at_start && name.size() <= 128;
}

const Registered* find_registered(std::string_view name) {
    for (const Registered& one : registry().operators) {
        if (one.name == name) {
            return &one;
        }
    }
    return nullptr;
}

[[noreturn]] void throw_not_lowered(const Node& node, const std::string& what) {
    throw Error("check/not-lowered",
                "node '" + node.name + "' with the custom operator '" + node.op + "' " + what,
                node.name,
                "the plugin's author must correct the operator's lower()");
}

/// Where a value is read: input `index` of `node`, or what is kept in `place`.
struct Reader {
    enum class Kind : std::uint8_t { Node, Exit, Output } kind;
    std::string place;
    std::size_t index = 0;
};

std::vector<Reader> readers_of(const Network& network, const std::string& value) {
    std::vector<Reader> readers;
    for (const Node& node : network.nodes()) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            if (node.inputs[i] == value) {
                readers.push_back({Reader::Kind::Node, node.name, i});
            }
        }
    }
    for (const Exit& exit : network.exits()) {
        if (exit.logits == value) {
            readers.push_back({Reader::Kind::Exit, exit.name, 0});
        }
    }
    if (network.output() == value) {
        readers.push_back({Reader::Kind::Output, {}, 0});
    }
    return readers;
}

/// What a reader reads now; empty when it is gone.
std::string read_by(const Network& network, const Reader& reader) {
    if (reader.kind == Reader::Kind::Output) {
        return network.output();
    }
    if (reader.kind == Reader::Kind::Node) {
        const Node* node = network.find_node(reader.place);
        return node != nullptr && reader.index < node->inputs.size() ? node->inputs[reader.index]
                                                                     : std::string();
    }
    for (const Exit& exit : network.exits()) {
        if (exit.name == reader.place) {
            return exit.logits;
        }
    }
    return {};
}

at::Tensor seeded_batch(const Network& network) {
    std::vector<std::int64_t> sizes{kSamples};
    sizes.insert(sizes.end(), network.input().shape.begin(), network.input().shape.end());
    auto generator = at::make_generator<at::CPUGeneratorImpl>(kSeed);
    const at::Tensor batch = at::randn(sizes, generator, at::TensorOptions().dtype(at::kFloat));
    return network.parameters().empty() ? batch
                                        : batch.to(network.parameters().front().tensor.device());
}

/// The named value; a parameter is itself.
at::Tensor value_of(const Network& network, const at::Tensor& batch, const std::string& name) {
    const Parameter* parameter = network.find_parameter(name);
    return parameter != nullptr ? parameter->tensor : observe(network, batch, {name}).at(0);
}

std::string to_figure(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

/// What differs, empty when nothing.
std::string difference(const at::Tensor& expected, const at::Tensor& found) {
    if (expected.sizes() != found.sizes()) {
        return "has another shape";
    }
    if (expected.numel() == 0) {
        return {};
    }
    const at::Tensor wanted = expected.to(at::kDouble);
    const double size = wanted.abs().max().item<double>();
    const double worst = (found.to(at::kDouble) - wanted).abs().max().item<double>();
    if (worst <= kLimit * std::max(size, 1e-3)) {
        return {};
    }
    return "differs by " + to_figure(worst) + " where the largest value is " + to_figure(size);
}

/// The output of a custom node as its shape rule says it, against what forward gave.
void check_shape(const Network& network, const Node& node, const at::Tensor& value) {
    const Shape ruled = infer_shapes(network).at(node.outputs[0]);
    const auto sizes = value.sizes();
    const bool with_batch = sizes.size() == ruled.size() + 1;  // else made from parameters alone
    if (!(with_batch ? sizes.slice(1) : sizes).equals(ruled)) {
        throw_not_lowered(node, "gave a value of another shape than its shape rule says");
    }
}

/// Runs the rule; whatever it throws becomes one error that names the node.
void run_rule(Network& network, const Node& node) {
    const CustomRules& rules = *operator_named(node.op).custom;
    try {
        rules.lower(network, node.name);
    } catch (const std::exception& error) {
        const std::string text = error.what();
        throw_not_lowered(node, "cannot be lowered: " + text.substr(0, text.find('\n')));
    }
    if (network.find_node(node.name) != nullptr && network.node(node.name).op == node.op) {
        throw_not_lowered(node, "is still there after its lower() returned");
    }
    static_cast<void>(infer_shapes(network));
}

void lower_one(Network& network, const std::string& name, const at::Tensor& batch) {
    const Node node = network.node(name);
    const std::string& value = node.outputs[0];
    const std::vector<Reader> readers = readers_of(network, value);
    const at::Tensor expected = value_of(network, batch, value).clone();
    check_shape(network, node, expected);
    run_rule(network, node);
    std::set<std::string> compared;
    for (const Reader& reader : readers) {
        const std::string now = read_by(network, reader);
        if (now.empty()) {
            throw_not_lowered(node, "took '" + reader.place + "', which reads it, away");
        }
        if (!compared.insert(now).second) {
            continue;
        }
        if (const std::string found = difference(expected, value_of(network, batch, now));
            !found.empty()) {
            throw Error("check/lowering-differs",
                        "node '" + name + "' (" + node.op + ") and the built-in operators that " +
                            "replace it disagree: '" + now + "' " + found,
                        name,
                        "the plugin's author must make forward() and lower() compute the same");
        }
    }
}

}  // namespace

void register_operator(Operator op, CustomRules rules) {
    if (!is_reverse_dns(op.name)) {
        throw_bad_operator(op.name, "has no reverse-DNS name");
    }
    if (!op.forward || !op.shape || !rules.lower || op.minimum_inputs < 1 ||
        op.minimum_inputs > op.maximum_inputs) {
        throw_bad_operator(op.name, "lacks a function, or its numbers of inputs make no sense");
    }
    const std::lock_guard lock(registry().mutex);
    if (const Registered* known = find_registered(op.name)) {
        if (known->op.custom->identity == rules.identity) {
            return;
        }
        throw_bad_operator(op.name, "is registered already by someone else");
    }
    Registered& added = registry().operators.emplace_back();
    added.name = std::string(op.name);
    added.op = std::move(op);
    added.op.name = added.name;
    added.op.custom = std::make_shared<const CustomRules>(std::move(rules));
}

const Operator* find_custom_operator(std::string_view name) {
    const std::lock_guard lock(registry().mutex);
    const Registered* found = find_registered(name);
    return found != nullptr ? &found->op : nullptr;
}

std::vector<std::string> custom_nodes(const Network& network) {
    std::vector<std::string> names;
    for (const Node& node : network.nodes()) {
        if (operator_named(node.op).custom) {
            names.push_back(node.name);
        }
    }
    return names;
}

Network lower_custom_operators(Network network) {
    if (custom_nodes(network).empty()) {
        return network;
    }
    const c10::NoGradGuard no_gradients;
    Network lowered = network.clone();  // what a rule changes in place must not reach the original
    const at::Tensor batch = seeded_batch(lowered);
    // A rule may rewrite several nodes at once, but never add one.
    for (const std::string& name : custom_nodes(network)) {
        if (const Node* node = lowered.find_node(name);
            node != nullptr && operator_named(node->op).custom) {
            lower_one(lowered, name, batch);
        }
    }
    if (const auto left = custom_nodes(lowered); !left.empty()) {
        throw_not_lowered(lowered.node(left.front()), "was put in by another operator's lower()");
    }
    return lowered;
}

}  // namespace topress::network
