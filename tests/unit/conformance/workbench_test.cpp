// The tiny networks hold together, and answer with one row of logits for each output.
#include "conformance/workbench.hpp"

#include "conformance/host_observer.hpp"
#include "conformance/networks.hpp"
#include "network/operators.hpp"
#include "network/serialize.hpp"
#include "plugin/host_objects.hpp"

#include <topress/tensor.hpp>

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

TEST_CASE("observer: a parameter that is kept is counted as long as it is held") {
    const auto* table =
        static_cast<const topress_model_v1*>(observed_host().get_interface(TOPRESS_MODEL_1));
    REQUIRE(table != nullptr);
    reset_host_log();
    at::Tensor kept;
    at::Tensor let_go;
    {
        const topress_model model(plain_network(1));
        topress_error error{};
        error.struct_size = sizeof error;
        for (at::Tensor* tensor : {&kept, &let_go}) {
            const char* name = nullptr;
            REQUIRE(table->parameter_name(&model, tensor == &kept ? 0 : 1, &name, &error) ==
                    TOPRESS_OK);
            REQUIRE(table->parameter(&model, name, to_handle(*tensor), &error) == TOPRESS_OK);
        }
        kept = kept.view({-1}).narrow(0, 0, 1);  // a part holds all of it
        let_go = at::Tensor();
        CHECK(count_held_parameters() == 2);  // the network is there
    }
    CHECK(count_held_parameters() == 1);
    kept = at::Tensor();
    CHECK(count_held_parameters() == 0);
    reset_host_log();
}

TEST_CASE("networks: the seed decides") {
    CHECK(network::to_bytes(plain_network(1)) == network::to_bytes(plain_network(1)));
    CHECK(network::to_bytes(plain_network(1)) != network::to_bytes(plain_network(2)));
}

}  // namespace
}  // namespace topress::conformance
