// Cost against the reference numbers of the literature and against sums by hand.
#include "network/cost.hpp"

#include "unit/network/networks.hpp"

#include <cmath>
#include <limits>

using namespace topress;
using network::Cost;
using network::NodeCost;
using test::Network;
using test::Role;

namespace {

/// CIFAR variants: 32x32x3, 10 classes.
Network reference_network(const std::string& family, std::int64_t depth) {
    return zoo::build({family, depth, 0, 10, {3, 32, 32}}, 0);
}

std::vector<NodeCost> layers_of(const Cost& cost) {
    std::vector<NodeCost> layers;
    for (const auto& node : cost.nodes) {
        if (node.macs > 0) {
            layers.push_back(node);
        }
    }
    return layers;
}

double weights_of(const Network& net) {
    double count = 0;
    for (const auto& parameter : net.parameters()) {
        count += parameter.role == Role::Weight ? static_cast<double>(parameter.tensor.numel()) : 0;
    }
    return count;
}

/// How the first and the last layer are treated.
enum class Ends { Uniform, Eight, Float };

/// Quantizes weights and inputs of every layer and gives the original's BitOps over the result's.
double ratio(const Network& original,
             std::int64_t weight_bits,
             std::int64_t activation_bits,
             Ends ends) {
    Network net = original;
    const Cost before = network::cost_of(original);
    const auto layers = layers_of(before);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const bool is_end = i == 0 || i + 1 == layers.size();
        if (is_end && ends == Ends::Float) {
            continue;
        }
        const bool is_eight = is_end && ends == Ends::Eight;
        test::quantize_input(net, layers[i].node, 0, is_eight ? 8 : activation_bits, i == 0);
        test::quantize_input(net, layers[i].node, 1, is_eight ? 8 : weight_bits, true);
    }
    return before.bitops / network::cost_of(net).bitops;
}

struct Reference {
    const char* family;
    std::int64_t depth;
    double macs;
    double parameters;
    double weights;
};

constexpr Reference kReferences[] = {{"resnet", 18, 555422720, 11173962, 11164352},
                                     {"resnet", 34, 1159402496, 21282122, 21265088},
                                     {"vgg", 19, 398136320, 20040522, 20024000}};

struct RatioCase {
    const char* family;
    std::int64_t depth;
    std::int64_t weight_bits;
    std::int64_t activation_bits;
    double uniform;
    double eight;
    double floating;
};

// 1-bit rows of the table are reached by their product: 2 x 4 bits as 1 x 8.
constexpr RatioCase kRatios[] = {
    {"resnet", 34, 8, 8, 16, 16, 15.6},
    {"resnet", 34, 4, 4, 64, 63.7, 58.4},
    {"resnet", 34, 2, 2, 256, 250, 184},
    {"resnet", 34, 2, 4, 128, 126.6, 107},
    {"resnet", 18, 8, 8, 16, 16, 15.3},
    {"resnet", 18, 4, 4, 64, 63.4, 53.3},
    {"resnet", 18, 2, 2, 256, 244, 141},
    {"resnet", 18, 2, 4, 128, 125, 91},
    {"vgg", 19, 8, 8, 16, 16, 15.0},
    {"vgg", 19, 4, 4, 64, 63.2, 50.0},
    {"vgg", 19, 2, 2, 256, 240, 120},
    {"vgg", 19, 2, 4, 128, 124, 82},
};

/// The table prints one decimal below 128 and none above.
double printed_precision(double value) {
    return value < 128 && std::floor(value) != value ? 0.05001 : 0.5001;
}

const NodeCost& find(const Cost& cost, const std::string& node) {
    for (const auto& entry : cost.nodes) {
        if (entry.node == node) {
            return entry;
        }
    }
    FAIL("no cost of ", node);
    return cost.nodes.front();
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("cost: reference networks have the published numbers") {
        for (const Reference& reference : kReferences) {
            CAPTURE(reference.family);
            CAPTURE(reference.depth);
            const Network net = reference_network(reference.family, reference.depth);
            const Cost cost = network::cost_of(net);
            CHECK(cost.macs == reference.macs);
            CHECK(cost.bitops == reference.macs * 1024);
            CHECK(cost.expected_macs == reference.macs);
            CHECK(cost.expected_bitops == cost.bitops);
            CHECK(cost.parameters == reference.parameters);
            CHECK(weights_of(net) == reference.weights);
            const auto layers = layers_of(cost);
            CHECK(layers.front().macs == 1769472);
            CHECK(layers.back().macs == 5120);
        }
    }

    TEST_CASE("cost: quantization alone gives the published ratios") {
        std::string built;
        Network net;
        for (const RatioCase& row : kRatios) {
            const std::string name = row.family + std::to_string(row.depth);
            if (name != built) {
                net = reference_network(row.family, row.depth);
                built = name;
            }
            CAPTURE(name);
            CAPTURE(row.weight_bits);
            CAPTURE(row.activation_bits);
            const auto at = [&](Ends ends) {
                return ratio(net, row.weight_bits, row.activation_bits, ends);
            };
            CHECK(std::abs(at(Ends::Uniform) - row.uniform) < 1e-9);
            CHECK(std::abs(at(Ends::Eight) - row.eight) < printed_precision(row.eight));
            CHECK(std::abs(at(Ends::Float) - row.floating) < printed_precision(row.floating));
        }
    }

    TEST_CASE("cost: shares of nodes add up to the totals") {
        const Cost cost = network::cost_of(test::small_resnet());
        double parameters = 0;
        double stored = 0;
        double macs = 0;
        for (const auto& node : cost.nodes) {
            parameters += node.parameters;
            stored += node.stored_bytes;
            macs += node.macs;
        }
        CHECK(parameters == cost.parameters);
        CHECK(stored == cost.stored_bytes);
        CHECK(macs == cost.macs);
    }

    TEST_CASE("cost: stored bytes count packed weights and scales and four values a norm channel") {
        Network net = test::small_resnet();
        const double before = network::cost_of(net).stored_bytes;
        double floats = 0;
        for (const auto& parameter : net.parameters()) {
            floats += static_cast<double>(parameter.tensor.numel()) * 4;
        }
        CHECK(before == floats);
        test::quantize_input(net, "stem.conv", 1, 3, true);  // 8*3*3*3 = 216 weights
        const Cost cost = network::cost_of(net);
        CHECK(cost.stored_bytes == before - 216 * 4 + 81 + 4);
        CHECK(find(cost, "stem.conv").parameters == 216);
        CHECK(find(cost, "stem.conv.q1").parameters == 0);
        CHECK(find(cost, "stem.conv.q1").stored_bytes == 4);
        CHECK(find(cost, "stem.conv").weight_bits == 3);
        CHECK(find(cost, "stem.conv").activation_bits == 32);
    }

    TEST_CASE("cost: precision is seen through max pool and flatten only") {
        Network net = test::tiny_network();
        test::quantize_input(net, "p", 0, 4, false);
        CHECK(network::precision_of(net, "f.out").bits == 4);
        CHECK_FALSE(network::precision_of(net, "f.out").is_signed);
        CHECK(network::precision_of(net, "r.out").bits == 32);
        CHECK(network::precision_of(net, "x").bits == 32);
        CHECK(network::precision_of(net, "c.weight").bits == 32);
        const Cost cost = network::cost_of(net);
        CHECK(find(cost, "l").activation_bits == 4);
        CHECK(find(cost, "l").bitops == 5 * 64 * 32 * 4);
    }

    TEST_CASE("cost: concat costs nothing and joins no precisions, as add") {
        Network net = test::tiny_network();
        const double before = network::cost_of(net).macs;
        net.add_node({"k", "concat", {"r.out", "r.out"}, {"k.out"}, {}});
        net.add_parameter("k.weight", Role::Weight, test::random_tensor({4, 8, 1, 1}, 1));
        net.add_node({"after", "conv2d", {"k.out", "k.weight"}, {"after.out"}, {}});
        net.replace_input("p", 0, "after.out");
        test::quantize_input(net, "k", 0, 4, false);
        test::quantize_input(net, "k", 1, 4, false);
        const Cost cost = network::cost_of(net);
        CHECK(find(cost, "k").macs == 0);
        CHECK(find(cost, "k").parameters == 0);
        CHECK(cost.macs == before + 4 * 8 * 64);
        CHECK(network::precision_of(net, "k.out").bits == 32);
        CHECK(find(cost, "after").activation_bits == 32);
        test::quantize_input(net, "after", 0, 3, false);
        CHECK(find(network::cost_of(net), "after").activation_bits == 3);
    }

    TEST_CASE("cost: exits weight every node by the share that reaches it") {
        Network net = test::resnet_with_exits(0.5, 0.5);
        net.set_exit("exit1", 0.5, 0.3);
        net.set_exit("exit2", 0.5, 0.2);
        const Cost cost = network::cost_of(net);
        CHECK(find(cost, "stem.conv").reach == 1.0);
        CHECK(find(cost, "exit1.linear").reach == 1.0);
        CHECK(find(cost, "stage2.block0.conv1").reach == doctest::Approx(0.7));
        CHECK(find(cost, "exit2.linear").reach == doctest::Approx(0.7));
        CHECK(find(cost, "head.linear").reach == doctest::Approx(0.5));
        // sum_k p_k * (backbone up to exit k + every head up to k), by hand.
        double first = 0;
        double second = 0;
        double all = 0;
        for (const auto& node : cost.nodes) {
            const bool is_first = node.node.starts_with("stem") ||
                                  node.node.starts_with("stage1") || node.node.starts_with("exit1");
            const bool is_second =
                node.node.starts_with("stage2") || node.node.starts_with("exit2");
            first += is_first ? node.macs : 0;
            second += is_first || is_second ? node.macs : 0;
            all += node.macs;
        }
        CHECK(cost.macs == all);
        CHECK(cost.expected_macs == doctest::Approx(0.3 * first + 0.2 * second + 0.5 * all));
        CHECK(cost.expected_bitops == doctest::Approx(cost.expected_macs * 1024));
    }

    TEST_CASE("cost: without measured shares everything goes to the end") {
        const Cost cost = network::cost_of(test::resnet_with_exits(0.5, 0.5));
        CHECK(cost.expected_macs == cost.macs);
    }

    TEST_CASE("cost: what no output needs is not counted as run") {
        Network net = test::tiny_network();
        const double before = network::cost_of(net).macs;
        net.add_node({"spare", "conv2d", {"x", "c.weight"}, {"spare.out"}, {}});
        const Cost cost = network::cost_of(net);
        CHECK(cost.macs == before);
        CHECK(cost.expected_macs == before);
        CHECK(find(cost, "spare").reach == 0);
    }

    TEST_CASE("cost: a shared weight is counted once and stored at its finest precision") {
        Network net = test::tiny_network();
        const double before = network::cost_of(net).stored_bytes;
        const double parameters = network::cost_of(net).parameters;
        net.add_node({"c2", "conv2d", {"x", "c.weight"}, {"c2.out"}, {}});
        test::quantize_input(net, "c", 1, 4, true);
        CHECK(network::cost_of(net).parameters == parameters);
        CHECK(network::cost_of(net).stored_bytes == before + 4);
    }
}
