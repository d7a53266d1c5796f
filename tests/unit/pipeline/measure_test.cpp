// Shares and figures of exits.
#include "pipeline/measure.hpp"

#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace topress;

TEST_CASE("measure: shares go into the exits and lower the expected cost") {
    network::Network network = test::small_network();
    test::attach_exit(network, "early", 0.9);
    train::Evaluation evaluation;
    evaluation.share = {0.75, 0.25};
    evaluation.accuracy_per_exit = {0.99, 0.6};
    pipeline::record_shares(network, evaluation);
    CHECK(network.exits().front().share == 0.75);
    CHECK(network.exits().front().threshold == 0.9);
    const network::Cost cost = network::cost_of(network);
    CHECK(cost.expected_macs < 0.6 * cost.macs);
    const auto figures = pipeline::exit_figures(network, evaluation);
    REQUIRE(figures.size() == 2);
    CHECK(figures[0].name == "early");
    CHECK(figures[1].share == 0.25);
    CHECK(std::isnan(figures[1].threshold));
}

TEST_CASE("measure: a network without exits has no exit figures") {
    train::Evaluation evaluation;
    evaluation.share = {1.0};
    evaluation.accuracy_per_exit = {0.9};
    CHECK(pipeline::exit_figures(test::small_network(), evaluation).empty());
}

TEST_CASE("measure: the peak memory of this process is plausible") {
    CHECK(pipeline::peak_memory_bytes() > 1e6);
    CHECK(pipeline::peak_memory_bytes() < 1e12);
}
