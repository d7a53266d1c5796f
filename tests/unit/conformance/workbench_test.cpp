// The tiny networks hold together, and answer with one row of logits for each output.
#include "conformance/workbench.hpp"

#include "conformance/networks.hpp"
#include "network/operators.hpp"
#include "network/serialize.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <set>

namespace topress::conformance {
namespace {

TEST_CASE("networks: every kind runs and has its classes") {
    std::set<std::string> kinds;
    for (const TinyNetwork& tiny : tiny_networks(3)) {
        CAPTURE(tiny.kind);
        CHECK(kinds.insert(tiny.kind).second);
        const auto answers = answers_of(tiny.network);
        CHECK(answers.size() == tiny.network.exits().size() + 1);
        for (const at::Tensor& answer : answers) {
            CHECK(answer.size(1) == kClasses);
            CHECK(at::isfinite(answer).all().item<bool>());
        }
    }
    CHECK(kinds.size() == 6);
    CHECK(answers_of(bare_network(3)).size() == 1);
}

TEST_CASE("networks: the seed decides") {
    CHECK(network::to_bytes(plain_network(1)) == network::to_bytes(plain_network(1)));
    CHECK(network::to_bytes(plain_network(1)) != network::to_bytes(plain_network(2)));
}

}  // namespace
}  // namespace topress::conformance
