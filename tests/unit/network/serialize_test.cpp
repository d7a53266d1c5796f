// Files: what is written is read back to the bit, and broken files are refused.
#include "network/serialize.hpp"

#include "base/files.hpp"
#include "network/execute.hpp"
#include "unit/network/networks.hpp"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <unistd.h>

using namespace topress;
using test::code_of;
using test::Network;
using test::random_tensor;
using test::Role;

namespace {

/// A folder of its own for one test, gone afterwards.
struct TemporaryFolder {
    std::filesystem::path path = std::filesystem::temp_directory_path() /
                                 ("topress-serialize-" + std::to_string(::getpid()));

    TemporaryFolder() { std::filesystem::create_directories(path); }

    ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

Network rich_network() {
    Network net = test::resnet_with_exits(0.75, 0.9);
    net.set_exit("exit1", 0.75, 0.125);
    test::quantize_input(net, "stage2.block0.conv1", 1, 4, true);
    net.add_parameter("steps", Role::Buffer, at::tensor({1, 2, 3}, at::kLong));
    net.add_parameter("half", Role::Buffer, at::ones({3}, at::kBFloat16));
    net.add_parameter("nothing", Role::Buffer, at::ones({0, 4}));
    net.add_parameter("number", Role::Buffer, at::full({}, 3.5, at::kDouble));
    net.set_setting("note", std::string("with \"quotes\" and \n lines"));
    net.set_setting("factor", 1.0);
    net.set_setting("ratios", std::vector<double>{0.1, 2.0});
    net.set_setting("flag", true);
    return net;
}

/// A file made by hand: header text and data.
std::string make_file(const std::string& header, const std::string& data = {}) {
    const std::uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes + header + data;
}

/// A file whose only content is this graph text.
std::string make_graph_file(const std::string& graph) {
    std::string escaped;
    for (const char c : graph) {
        escaped += c == '"' ? "\\\"" : std::string(1, c);
    }
    return make_file("{\"__metadata__\":{\"topress.graph\":\"" + escaped + "\"}}");
}

std::string graph_with(const std::string& nodes, const std::string& output = "y") {
    return R"({"schema":1,"input":{"name":"x","shape":[4]},"output":")" + output +
           R"(","parameters":[],"exits":[],"settings":{},"nodes":[)" + nodes + "]}";
}

std::string node_text(const std::string& name,
                      const std::string& op,
                      const std::string& from,
                      const std::string& to) {
    return R"({"name":")" + name + R"(","op":")" + op + R"(","inputs":[")" + from +
           R"("],"outputs":[")" + to + R"("],"attributes":{}})";
}

/// What the loader says about a file; empty when it takes it.
std::string reason(const std::string& bytes) {
    try {
        static_cast<void>(network::from_bytes(bytes, "test"));
    } catch (const Error& error) {
        CHECK(error.code() == "network/bad-file");
        CHECK(error.where() == "test");
        return error.what();
    }
    return "";
}

bool is_refused(const std::string& bytes, const char* because) {
    const std::string text = reason(bytes);
    INFO(text);
    const bool says_so = text.find(because) != std::string::npos;
    CHECK(says_so);
    return says_so;
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("serialize: a loaded network has the same bytes and the same outputs") {
        const Network net = rich_network();
        const std::string bytes = network::to_bytes(net);
        const Network loaded = network::from_bytes(bytes, "test");
        CHECK(network::to_bytes(loaded) == bytes);
        const auto x = random_tensor({3, 3, 16, 16}, 1);
        const auto before = network::forward(net, x, {});
        const auto after = network::forward(loaded, x, {});
        REQUIRE(before.size() == after.size());
        for (std::size_t i = 0; i < before.size(); ++i) {
            CHECK(before[i].equal(after[i]));
        }
    }

    TEST_CASE("serialize: everything but tensors survives too") {
        const Network net = rich_network();
        const Network loaded = network::from_bytes(network::to_bytes(net), "test");
        CHECK((loaded.settings() == net.settings()));
        REQUIRE(loaded.exits().size() == 2);
        CHECK(loaded.exits()[0].share == 0.125);
        CHECK(std::isnan(loaded.exits()[1].share));
        CHECK(loaded.exits()[1].threshold == 0.9);
        REQUIRE(loaded.parameters().size() == net.parameters().size());
        for (std::size_t i = 0; i < net.parameters().size(); ++i) {
            const auto& a = net.parameters()[i];
            const auto& b = loaded.parameters()[i];
            CHECK(a.name == b.name);
            CHECK(network::to_string(a.role) == network::to_string(b.role));
            CHECK((a.tensor.scalar_type() == b.tensor.scalar_type()));
            CHECK(a.tensor.equal(b.tensor));
        }
    }

    TEST_CASE("serialize: memory format and gradients leave no trace in the bytes") {
        const Network net = test::small_resnet();
        Network other = net.clone();
        for (const auto& parameter : std::vector<network::Parameter>(other.parameters())) {
            if (parameter.tensor.dim() == 4) {
                other.set_parameter(parameter.name,
                                    parameter.tensor.contiguous(at::MemoryFormat::ChannelsLast)
                                        .set_requires_grad(true));
            }
        }
        CHECK(network::to_bytes(net) == network::to_bytes(other));
    }

    TEST_CASE("serialize: the container is safetensors") {
        const std::string bytes = network::to_bytes(test::tiny_network());
        std::uint64_t length = 0;
        std::memcpy(&length, bytes.data(), 8);
        CHECK((8 + length) % 8 == 0);
        const std::string header = bytes.substr(8, length);
        CHECK(header.front() == '{');
        CHECK(header.find("\"c.weight\":{\"data_offsets\":[0,432],\"dtype\":\"F32\","
                          "\"shape\":[4,3,3,3]}") != std::string::npos);
        CHECK(bytes.size() == 8 + length + 4 * (108 + 4 + 320 + 5));
    }

    TEST_CASE("serialize: files carry free text and are written whole") {
        const TemporaryFolder folder;
        const auto path = folder.path / "net.safetensors";
        const Network net = test::tiny_network();
        network::save_network(net, path, {{"stage", "3"}, {"comment", "a \"b\" \xff"}});
        const auto metadata = network::load_metadata(path);
        CHECK(metadata.size() == 2);
        CHECK(metadata.at("stage") == "3");
        CHECK(network::to_bytes(network::load_network(path)) == network::to_bytes(net));
        CHECK(code_of([&] { network::save_network(net, folder.path / "no" / "n.st"); }) ==
              "file/cannot-write");
        CHECK(code_of([&] { static_cast<void>(network::load_network(folder.path / "none")); }) ==
              "file/cannot-read");
    }

    TEST_CASE("serialize: a number that is not finite is refused when saving") {
        Network net = test::tiny_network();
        net.set_setting("bad", std::numeric_limits<double>::infinity());
        CHECK(code_of([&] { static_cast<void>(network::to_bytes(net)); }) ==
              "network/bad-attribute");
    }

    TEST_CASE("serialize: broken containers are refused") {
        const std::string good = network::to_bytes(test::tiny_network());
        CHECK(is_refused("", "too few"));
        CHECK(is_refused("1234567", "too few"));
        CHECK(is_refused(std::string(8, '\xff'), "header length"));
        CHECK(is_refused(good.substr(0, 100), "header length"));
        CHECK(is_refused(good.substr(0, good.size() - 1), "pass the end"));
        CHECK(is_refused(good + '\0', "goes on after"));
        CHECK(is_refused(make_file("[]"), "no JSON object"));
        CHECK(is_refused(make_file("{"), "no JSON object"));
        CHECK(is_refused(make_file(std::string(100000, '[')), "no JSON object"));
        CHECK(is_refused(make_file("{}"), "no topress.graph"));
        CHECK(is_refused(make_file("{\"a\":1,\"a\":1}"), "twice"));
        CHECK(is_refused(make_file("{\"__metadata__\":{\"a\":1}}"), "no table of texts"));
        CHECK(is_refused(make_file("{\"__metadata__\":[\"a\"]}"), "no table of texts"));
    }

    TEST_CASE("serialize: tensors that lie about their place or size are refused") {
        const auto one = [](const char* dtype, const char* shape, const char* offsets) {
            return make_file(std::string("{\"t\":{\"dtype\":\"") + dtype + "\",\"shape\":" + shape +
                                 ",\"data_offsets\":" + offsets + "}}",
                             "12345678");
        };
        CHECK(
            is_refused(one("F32", "[2]", "[0,8]"), "no topress.graph"));  // the container is right
        CHECK(is_refused(one("F32", "[2]", "[0,4]"), "do not fit"));
        CHECK(is_refused(one("F32", "[1]", "[4,8]"), "gap"));
        CHECK(is_refused(one("F32", "[3]", "[0,12]"), "pass the end"));
        CHECK(is_refused(one("F32", "[2]", "[8,0]"), "gap"));
        CHECK(is_refused(one("F32", "[2]", "[0]"), "two numbers"));
        CHECK(is_refused(one("F32", "[2]", "[0,-8]"), "two numbers"));
        CHECK(is_refused(one("F32", "[-2]", "[0,8]"), "list of at most 8"));
        CHECK(is_refused(one("F32", "[2.5]", "[0,8]"), "list of at most 8"));
        CHECK(is_refused(one("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), "list of at most 8"));
        CHECK(is_refused(one("Q7", "[2]", "[0,8]"), "unknown dtype"));
        CHECK(is_refused(one("F32", "[4294967296,4294967296,2]", "[0,8]"), "do not fit"));
        CHECK(is_refused(one("F32", "[18446744073709551615]", "[0,8]"), "too large"));
        CHECK(is_refused(one("F32", "[0,1099511627776,1099511627776]", "[0,8]"), "do not fit"));
        const std::string overlap = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                    R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
        CHECK(is_refused(make_file(overlap, "1234"), "overlap"));
    }

    TEST_CASE("serialize: graphs that make no sense are refused with the reason") {
        const auto graph = [](const std::string& nodes, const std::string& output = "y") {
            return make_graph_file(graph_with(nodes, output));
        };
        CHECK(reason(graph(node_text("n", "relu", "x", "y"))).empty());
        CHECK(is_refused(graph(node_text("n", "rleu", "x", "y")), "unknown operator"));
        CHECK(is_refused(graph(node_text("n", "relu", "z", "y")), "nothing defines"));
        // A cycle: each reads what the other defines.
        CHECK(is_refused(
            graph(node_text("a", "relu", "y", "z") + "," + node_text("b", "relu", "z", "y")),
            "nothing defines"));
        CHECK(is_refused(
            graph(node_text("n", "relu", "x", "y") + "," + node_text("n", "relu", "x", "z")),
            "already has a node"));
        CHECK(is_refused(graph(node_text("n", "relu", "x", "x")), "already has a value"));
        CHECK(is_refused(graph(node_text("n", "relu", "x", "y"), "w"), "produced by no node"));
        CHECK(is_refused(graph(node_text("n", "max_pool", "x", "y")), "dimensions"));
        CHECK(is_refused(graph("17"), "'name' is missing"));
        CHECK(is_refused(make_graph_file("{}"), "schema"));
        CHECK(is_refused(make_graph_file("not json"), "schema"));
    }

    TEST_CASE("serialize: parameters and tensors must match") {
        const std::string bytes = network::to_bytes(test::tiny_network());
        const auto replace = [&](const std::string& from, const std::string& to) {
            std::string copy = bytes;
            const auto place = copy.find(from);
            REQUIRE(place != std::string::npos);
            return copy.replace(place, from.size(), to);
        };
        CHECK(is_refused(replace("\"c.bias\":{", "\"c.baas\":{"), "is missing"));
        CHECK(
            is_refused(replace("\\\"role\\\":\\\"bias", "\\\"role\\\":\\\"bios"), "unknown role"));
        Network more = test::tiny_network();
        more.add_parameter("spare", Role::Buffer, at::ones({1}));
        std::string text = network::to_bytes(more);
        const std::string entry = ",{\\\"name\\\":\\\"spare\\\",\\\"role\\\":\\\"buffer\\\"}";
        const auto place = text.find(entry);
        REQUIRE(place != std::string::npos);
        text.replace(place, entry.size(), entry.size(), ' ');
        CHECK(is_refused(text, "belongs to no parameter"));
    }

    TEST_CASE("serialize: exits must answer like the network") {
        Network net = test::tiny_network();
        net.add_exit({"early", "f.out", "max-probability", 0.5});
        CHECK(is_refused(network::to_bytes(net), "different shapes"));
        Network constant = test::tiny_network();
        constant.add_node({"fixed", "relu", {"l.bias"}, {"fixed.out"}, {}});
        constant.add_exit({"early", "fixed.out", "max-probability", 0.5});
        CHECK(is_refused(network::to_bytes(constant), "does not depend on the input"));
    }
}
