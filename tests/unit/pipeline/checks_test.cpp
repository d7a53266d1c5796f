// Each broken promise of a stage is found, with its code.
#include "pipeline/checks.hpp"

#include "network/channels.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace topress;
using Codes = std::vector<std::string>;

namespace {

const std::vector<std::string> kAll = {
    "topology", "channels", "weights", "batch-stats", "precision", "exits"};

/// Codes of what check_stage() finds after `edit`, for a stage that declares these writes.
template <class Edit>
Codes codes_after(const network::Network& before,
                  const std::vector<std::string>& writes,
                  Edit edit) {
    network::Network after = before.clone();
    edit(after);
    Codes codes;
    for (const Diagnostic& found : pipeline::check_stage(
             {"stage", "some.technique", writes}, pipeline::take_snapshot(before), after)) {
        codes.push_back(found.code);
    }
    return codes;
}

void scale_first_weight(network::Network& network, double factor) {
    const std::string weight = test::first_conv(network).inputs.at(1);
    network.set_parameter(weight, network.parameter(weight).tensor * factor);
}

}  // namespace

TEST_CASE("checks: a declared change is fine") {
    CHECK(codes_after(test::small_network(), {"weights"}, [](network::Network& network) {
              scale_first_weight(network, 2);
          }).empty());
}

TEST_CASE("checks: an undeclared change is named") {
    CHECK(codes_after(test::small_network(), {"exits"}, [](network::Network& network) {
              scale_first_weight(network, 2);
          }) == Codes{"check/undeclared-write"});
}

TEST_CASE("checks: a stage without effect is an error unless it said so or could not be seen") {
    const network::Network network = test::small_network();
    const pipeline::Snapshot before = pipeline::take_snapshot(network);
    const auto check = [&](const std::vector<std::string>& writes, bool may_be_idle) {
        return pipeline::check_stage(
            {"stage", "some.technique", writes, may_be_idle}, before, network);
    };
    const Diagnostics found = check(kAll, false);
    REQUIRE(found.size() == 1);
    CHECK(found.front().code == "check/no-effect");
    CHECK(found.front().severity == Severity::Error);
    REQUIRE(check(kAll, true).size() == 1);
    CHECK(check(kAll, true).front().severity == Severity::Info);
    CHECK(check({"x-notes"}, false).empty());
}

TEST_CASE("checks: a network whose shapes do not fit is broken, and nothing else is looked at") {
    CHECK(codes_after(test::small_network(), {}, [](network::Network& network) {
              const std::string name = "head.linear.weight";
              network.set_parameter(name, network.parameter(name).tensor.narrow(1, 0, 2).clone());
          }) == Codes{"check/broken-network"});
}

TEST_CASE("checks: values that are not finite are found") {
    CHECK(codes_after(test::small_network(), kAll, [](network::Network& network) {
              scale_first_weight(network, std::numeric_limits<double>::quiet_NaN());
          }) == Codes{"check/not-finite"});
}

TEST_CASE("checks: another number of classes breaks the contract") {
    const auto edit = [](network::Network& network) {
        for (const char* name : {"head.linear.weight", "head.linear.bias"}) {
            network.set_parameter(name, network.parameter(name).tensor.narrow(0, 0, 4).clone());
        }
    };
    CHECK(codes_after(test::small_network(), kAll, edit) == Codes{"check/contract-changed"});
}

TEST_CASE("checks: a network that grows without declaring topology was undone") {
    network::Network pruned = test::small_network();
    network::keep_channels(pruned, network::find_channel_groups(pruned).front().name, {0, 1, 2, 3});
    const auto grow = [](network::Network& network) { network = test::small_network(); };
    const std::vector<std::string> no_topology = {"channels", "weights", "batch-stats"};
    CHECK(codes_after(pruned, no_topology, grow) == Codes{"check/undone"});
    CHECK(codes_after(pruned, kAll, grow).empty());
}

TEST_CASE("checks: raised bits were undone whatever is declared") {
    network::Network quantized = test::small_network();
    const std::string conv = test::first_conv(quantized).name;
    test::quantize_input(quantized, conv, 1, 4);
    test::quantize_input(quantized, conv, 0, 4);
    const auto remove = [](network::Network& network) { network = test::small_network(); };
    CHECK(codes_after(quantized, kAll, remove) == Codes{"check/undone", "check/undone"});
    const std::string name = "quantize." + test::first_conv(test::small_network()).inputs.at(1);
    CHECK(codes_after(quantized, kAll, [&name](network::Network& network) {
              network.set_attribute(name, "bits", std::int64_t{2});
          }).empty());
}

TEST_CASE("checks: a dropped exit was undone unless exits are declared") {
    network::Network with_exit = test::small_network();
    test::attach_exit(with_exit, "early", 0.9);
    const auto drop = [](network::Network& network) { network.clear_exits(); };
    CHECK(codes_after(with_exit, {"weights"}, drop) ==
          Codes{"check/undeclared-write", "check/undone"});
    CHECK(codes_after(with_exit, {"exits"}, drop).empty());
}
