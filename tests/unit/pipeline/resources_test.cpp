// Each kind of change is seen as a change of its resource, and of no other.
#include "pipeline/resources.hpp"

#include "network/channels.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

using namespace topress;
using pipeline::changed_resources;
using pipeline::hash_resources;
using Names = std::vector<std::string>;

namespace {

/// What `edit` changes on a small network that `prepare` made ready.
template <class Prepare, class Edit>
Names changes_of(Prepare prepare, Edit edit) {
    network::Network network = test::small_network();
    prepare(network);
    const pipeline::ResourceHashes before = hash_resources(network);
    network::Network edited = network.clone();
    edit(edited);
    return changed_resources(before, hash_resources(edited));
}

template <class Edit>
Names changes_of(Edit edit) {
    return changes_of([](network::Network&) {}, edit);
}

std::string first_weight(const network::Network& network) {
    return test::first_conv(network).inputs.at(1);
}

void add_one(network::Network& network, const std::string& parameter) {
    network.set_parameter(parameter, network.parameter(parameter).tensor + 1);
}

/// Made by quantize_first().
const std::string kQuantizeNode = "quantize.stem.conv.weight";

void quantize_first(network::Network& network) {
    test::quantize_input(network, test::first_conv(network).name, 1, 4);
}

}  // namespace

TEST_CASE("resources: a copy differs in nothing") {
    CHECK(changes_of([](network::Network&) {}).empty());
}

TEST_CASE("resources: a changed weight is a change of weights") {
    CHECK(changes_of([](network::Network& network) { add_one(network, first_weight(network)); }) ==
          Names{"weights"});
}

TEST_CASE("resources: running statistics are batch-stats") {
    const auto edit = [](network::Network& network) {
        for (const network::Parameter& parameter : network.parameters()) {
            if (parameter.role == network::Role::Buffer) {
                add_one(network, parameter.name);
                return;
            }
        }
    };
    CHECK(changes_of(edit) == Names{"batch-stats"});
}

TEST_CASE("resources: removed channels change shapes and contents but not the topology") {
    const auto edit = [](network::Network& network) {
        network::keep_channels(
            network, network::find_channel_groups(network).front().name, {0, 1, 2, 3});
    };
    CHECK(changes_of(edit) == Names{"channels", "weights", "batch-stats"});
}

TEST_CASE("resources: a quantize node is precision and leaves the topology as it is") {
    CHECK(changes_of(quantize_first) == Names{"precision"});
}

TEST_CASE("resources: other bits are a change of precision") {
    const auto edit = [](network::Network& network) {
        network.set_attribute(kQuantizeNode, "bits", std::int64_t{8});
    };
    CHECK(changes_of(quantize_first, edit) == Names{"precision"});
}

TEST_CASE("resources: a trained scale counts as weights") {
    const auto edit = [](network::Network& network) { add_one(network, kQuantizeNode + ".scale"); };
    CHECK(changes_of(quantize_first, edit) == Names{"weights"});
}

TEST_CASE("resources: a new exit changes exits only") {
    CHECK(changes_of([](network::Network& network) { test::attach_exit(network, "early", 0.9); }) ==
          Names{"exits"});
}

TEST_CASE("resources: a threshold belongs to the exits and a measured share does not") {
    const auto prepare = [](network::Network& network) {
        test::attach_exit(network, "early", 0.9);
    };
    CHECK(changes_of(prepare, [](network::Network& network) {
              network.set_exit("early", 0.8, 0.5);
          }) == Names{"exits"});
    CHECK(changes_of(prepare, [](network::Network& network) {
              network.set_exit("early", 0.9, 0.5);
          }).empty());
}

TEST_CASE("resources: a trained head counts as weights") {
    const auto prepare = [](network::Network& network) {
        test::attach_exit(network, "early", 0.9);
    };
    CHECK(changes_of(prepare, [](network::Network& network) {
              add_one(network, "early.weight");
          }) == Names{"weights"});
}

TEST_CASE("resources: another operator is a change of topology") {
    const auto edit = [](network::Network& network) {
        const std::string value = network.output();
        network.add_node({"extra", "relu", {value}, {"extra.out"}, {}});
        network.set_output("extra.out");
    };
    CHECK(changes_of(edit) == Names{"topology"});
}

TEST_CASE("resources: declared topology implies channels and they imply weights") {
    using Set = std::set<std::string>;
    CHECK(pipeline::implied_writes({"topology"}) ==
          Set{"topology", "channels", "weights", "batch-stats"});
    CHECK(pipeline::implied_writes({"channels"}) == Set{"channels", "weights", "batch-stats"});
    CHECK(pipeline::implied_writes({"weights"}) == Set{"weights"});
}
