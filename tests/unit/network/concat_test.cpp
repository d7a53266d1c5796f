// Channel groups behind a concat: where they stand, what couples them, and that removal equals
// picking channels.
#include "network/channels.hpp"
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "network/serialize.hpp"
#include "unit/network/networks.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <set>
#include <sstream>

using namespace topress;
using network::ChannelGroup;
using test::largest_difference;
using test::Network;
using test::random_tensor;
using test::Role;

namespace {

using Ints = std::vector<std::int64_t>;

constexpr double kSameOutput = 1e-4;

/// x (3, 4, 4) with convolutions 1x1 from x: a (4 channels) and b (6 channels).
Network two_convolutions() {
    Network net;
    net.set_input({"x", {3, 4, 4}});
    net.add_parameter("a.weight", Role::Weight, random_tensor({4, 3, 1, 1}, 1));
    net.add_parameter("b.weight", Role::Weight, random_tensor({6, 3, 1, 1}, 2));
    net.add_node({"a", "conv2d", {"x", "a.weight"}, {"a.out"}, {}}, true);
    net.add_node({"b", "conv2d", {"x", "b.weight"}, {"b.out"}, {}}, true);
    return net;
}

void join(Network& net, const std::string& name, const std::vector<std::string>& inputs) {
    net.add_node({name, "concat", inputs, {name + ".out"}, {}}, true);
}

/// A 1x1 convolution to 2 channels as the output.
void finish(Network& net, const std::string& value) {
    const auto channels = network::infer_shapes(net).at(value).at(0);
    net.add_parameter("end.weight", Role::Weight, random_tensor({2, channels, 1, 1}, 3));
    net.add_node({"end", "conv2d", {value, "end.weight"}, {"end.out"}, {}}, true);
    net.set_output("end.out");
}

/// What the group `name` indexes: "parameter:dimension+offset", with "xN" for N elements a channel.
std::set<std::string> members_of(const Network& net, const std::string& name) {
    std::set<std::string> members;
    for (const ChannelGroup& group : network::find_channel_groups(net)) {
        if (group.name != name) {
            continue;
        }
        for (const auto& member : group.members) {
            std::ostringstream text;
            text << member.parameter << ':' << member.dim << '+' << member.offset;
            if (member.repeat > 1) {
                text << 'x' << member.repeat;
            }
            members.insert(text.str());
        }
    }
    return members;
}

/// Zeroes rows of the convolution `name` and removes them: the same answers.
void check_removal(const Network& net, const std::string& name, const Ints& kept) {
    const at::NoGradGuard no_gradients;
    Network zeroed = net.clone();
    Network pruned = net.clone();
    const at::Tensor weight = zeroed.parameter(name + ".weight").tensor;
    for (std::int64_t c = 0; c < weight.size(0); ++c) {
        if (std::find(kept.begin(), kept.end(), c) == kept.end()) {
            weight.select(0, c).zero_();
        }
    }
    network::keep_channels(pruned, name, kept);
    static_cast<void>(network::infer_shapes(pruned));
    const at::Tensor x = random_tensor({2, 3, 4, 4}, 9);
    const at::Tensor expected = network::forward(zeroed, x, {})[0];
    CHECK(largest_difference(network::forward(pruned, x, {})[0], expected) < kSameOutput);
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("concat: each input keeps its own group and stands at its offset") {
        Network net = two_convolutions();
        join(net, "k", {"a.out", "b.out", "x"});
        finish(net, "k.out");
        CHECK(members_of(net, "a") == std::set<std::string>{"a.weight:0+0", "end.weight:1+0"});
        CHECK(members_of(net, "b") == std::set<std::string>{"b.weight:0+0", "end.weight:1+4"});
        CHECK(network::find_channel_groups(net).size() == 2);
        check_removal(net, "a", {1, 3});
        check_removal(net, "b", {0, 2, 5});
        network::keep_channels(net, "a", {2});
        CHECK(members_of(net, "b") == std::set<std::string>{"b.weight:0+0", "end.weight:1+1"});
        CHECK(net.parameter("end.weight").tensor.size(1) == 1 + 6 + 3);
    }

    TEST_CASE("concat: a value joined with itself loses its channels at every place") {
        Network net = two_convolutions();
        join(net, "k", {"a.out", "b.out", "a.out"});
        finish(net, "k.out");
        CHECK(members_of(net, "a") ==
              std::set<std::string>{"a.weight:0+0", "end.weight:1+0", "end.weight:1+10"});
        check_removal(net, "a", {0, 3});
        check_removal(net, "b", {1});
    }

    TEST_CASE("concat: flatten spreads every part over its positions") {
        Network net = two_convolutions();
        join(net, "k", {"a.out", "b.out"});
        net.add_node({"f", "flatten", {"k.out"}, {"f.out"}, {}}, true);
        net.add_parameter("l.weight", Role::Weight, random_tensor({5, 160}, 4));
        net.add_node({"l", "linear", {"f.out", "l.weight"}, {"l.out"}, {}}, true);
        net.set_output("l.out");
        CHECK(members_of(net, "b") == std::set<std::string>{"b.weight:0+0", "l.weight:1+64x16"});
        check_removal(net, "a", {2});
        check_removal(net, "b", {0, 1, 4});
    }

    TEST_CASE("concat: joined vectors of different spans stay apart") {
        Network net = two_convolutions();
        net.add_node({"fa", "flatten", {"a.out"}, {"fa.out"}, {}}, true);
        net.add_node({"pb", "global_avg_pool", {"b.out"}, {"pb.out"}, {}}, true);
        net.add_node({"fb", "flatten", {"pb.out"}, {"fb.out"}, {}}, true);
        join(net, "k", {"fa.out", "fb.out"});
        net.add_parameter("l.weight", Role::Weight, random_tensor({5, 70}, 4));
        net.add_node({"l", "linear", {"k.out", "l.weight"}, {"l.out"}, {}}, true);
        net.set_output("l.out");
        CHECK(members_of(net, "a") == std::set<std::string>{"a.weight:0+0", "l.weight:1+0x16"});
        CHECK(members_of(net, "b") == std::set<std::string>{"b.weight:0+0", "l.weight:1+64"});
        check_removal(net, "a", {0, 3});
        check_removal(net, "b", {5});
    }

    TEST_CASE("concat: a depthwise convolution and a scale per channel follow all parts") {
        Network net = two_convolutions();
        join(net, "k", {"a.out", "b.out"});
        net.add_parameter("d.weight", Role::Weight, random_tensor({10, 1, 3, 3}, 4));
        net.add_parameter("d.scale", Role::Scale, at::full({10}, 0.25));
        net.add_node({"q",
                      "quantize",
                      {"d.weight", "d.scale"},
                      {"q.out"},
                      {{"bits", std::int64_t{4}}, {"signed", true}, {"axis", std::int64_t{0}}}},
                     true);
        net.add_node({"d",
                      "conv2d",
                      {"k.out", "q.out"},
                      {"d.out"},
                      {{"groups", std::int64_t{10}}, {"padding", Ints{1, 1}}}},
                     true);
        finish(net, "d.out");
        CHECK(
            members_of(net, "b") ==
            std::set<std::string>{"b.weight:0+0", "d.scale:0+4", "d.weight:0+4", "end.weight:1+4"});
        check_removal(net, "b", {2, 3});
        network::keep_channels(net, "b", {2, 3});
        CHECK(network::int_attribute(net.node("d"), "groups", 1) == 6);
        check_removal(net, "a", {0});
    }

    TEST_CASE("concat: an add couples part by part where both sides are divided alike") {
        Network net = two_convolutions();
        net.add_parameter("c.weight", Role::Weight, random_tensor({4, 3, 1, 1}, 5));
        net.add_node({"c", "conv2d", {"x", "c.weight"}, {"c.out"}, {}}, true);
        join(net, "k", {"a.out", "b.out"});
        join(net, "m", {"c.out", "b.out"});
        net.add_node({"s", "add", {"k.out", "m.out"}, {"s.out"}, {}}, true);
        finish(net, "s.out");
        CHECK(members_of(net, "a") ==
              std::set<std::string>{"a.weight:0+0", "c.weight:0+0", "end.weight:1+0"});
        CHECK(members_of(net, "b") == std::set<std::string>{"b.weight:0+0", "end.weight:1+4"});
        network::keep_channels(net, "a", {1, 2});
        network::keep_channels(net, "b", {0});
        CHECK(network::infer_shapes(net).at("s.out")[0] == 3);
    }

    TEST_CASE("concat: what is divided differently keeps all its channels") {
        Network net = two_convolutions();
        net.add_parameter("c.weight", Role::Weight, random_tensor({10, 3, 1, 1}, 5));
        net.add_node({"c", "conv2d", {"x", "c.weight"}, {"c.out"}, {}}, true);
        SUBCASE("added to one undivided value") {
            join(net, "k", {"a.out", "b.out"});
            net.add_node({"s", "add", {"k.out", "c.out"}, {"s.out"}, {}}, true);
            finish(net, "s.out");
        }
        SUBCASE("added in another order") {
            join(net, "k", {"a.out", "b.out", "c.out"});
            join(net, "m", {"c.out", "b.out", "a.out"});
            net.add_node({"s", "add", {"k.out", "m.out"}, {"s.out"}, {}}, true);
            finish(net, "s.out");
        }
        SUBCASE("read by one weight") {
            join(net, "k", {"a.out", "b.out"});
            finish(net, "k.out");
            net.add_node({"also", "conv2d", {"c.out", "end.weight"}, {"also.out"}, {}}, true);
            net.add_node({"s", "add", {"end.out", "also.out"}, {"s.out"}, {}}, true);
            net.set_output("s.out");
        }
        for (const ChannelGroup& group : network::find_channel_groups(net)) {
            CAPTURE(group.name);
            CHECK_FALSE((group.name == "a" || group.name == "c"));
        }
    }

    TEST_CASE("concat: a parameter that is joined as it is keeps its size") {
        Network net = two_convolutions();
        net.add_parameter("p", Role::Weight, random_tensor({4, 4, 4}, 6));
        join(net, "k", {"a.out", "p"});
        finish(net, "k.out");
        CHECK(members_of(net, "a") == std::set<std::string>{"a.weight:0+0", "end.weight:1+0"});
        check_removal(net, "a", {1});
        for (const ChannelGroup& group : network::find_channel_groups(net)) {
            for (const auto& member : group.members) {
                CHECK(member.parameter != "p");
            }
        }
    }

    TEST_CASE("concat: joining again and again ends in channels that stay") {
        Network net = two_convolutions();
        std::string value = "a.out";
        for (const char* name : {"k1", "k2", "k3", "k4", "k5", "k6", "k7"}) {
            join(net, name, {value, value, value, value});
            value = std::string(name).append(".out");
        }
        net.set_output(value);
        net.add_node({"r", "relu", {value}, {"r.out"}, {}}, true);
        net.set_output("r.out");
        CHECK(members_of(net, "a").empty());
    }

    TEST_CASE("concat: a network with it is the same behind a file") {
        const Network net = test::small_densenet();
        const Network loaded = network::from_bytes(network::to_bytes(net), "test");
        const at::NoGradGuard no_gradients;
        const at::Tensor x = random_tensor({2, 3, 16, 16}, 1);
        CHECK(network::forward(loaded, x, {})[0].equal(network::forward(net, x, {})[0]));
        CHECK(network::to_bytes(loaded) == network::to_bytes(net));
    }
}
