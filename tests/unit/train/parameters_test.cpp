// Tests train/parameters.cpp: what is trained, with which rate and decay.
#include "train/parameters.hpp"

#include "base/error.hpp"
#include "unit/train/tiny.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>

using namespace topress;
using train::choose_trained;
using train::FitOptions;
using train::Trained;
using train::test::tiny_network;

namespace {

const Trained* find(const std::vector<Trained>& all, const std::string& name) {
    const auto place =
        std::find_if(all.begin(), all.end(), [&](const Trained& t) { return t.name == name; });
    return place == all.end() ? nullptr : &*place;
}

std::string refusal(const FitOptions& options) {
    try {
        static_cast<void>(choose_trained(tiny_network(1), options, 0.1));
    } catch (const Error& error) {
        return error.code();
    }
    return "";
}

}  // namespace

TEST_SUITE("train") {
    TEST_CASE("parameters: all but buffers are trained and only weights decay") {
        const std::vector<Trained> all = choose_trained(tiny_network(1), {}, 0.1);
        CHECK(all.size() == 5);
        CHECK(find(all, "bn.mean") == nullptr);
        CHECK(find(all, "conv.weight")->weight_decay == 0.1);
        CHECK(find(all, "linear.weight")->weight_decay == 0.1);
        CHECK(find(all, "linear.bias")->weight_decay == 0);
        CHECK(find(all, "bn.gamma")->weight_decay == 0);
        CHECK(find(all, "bn.gamma")->learning_rate_factor == 1);
    }

    TEST_CASE("parameters: a name beats a role and a later group an earlier one") {
        FitOptions options;
        options.groups = {{"", "conv.weight", 3.0, 0.5},
                          {"weight", "", 0.1, std::nullopt},
                          {"norm", "", 0.2, std::nullopt},
                          {"norm", "", 0.0, std::nullopt}};
        const std::vector<Trained> all = choose_trained(tiny_network(1), options, 0.1);
        CHECK(find(all, "conv.weight")->learning_rate_factor == 3.0);
        CHECK(find(all, "conv.weight")->weight_decay == 0.5);
        CHECK(find(all, "linear.weight")->learning_rate_factor == 0.1);
        CHECK(find(all, "linear.weight")->weight_decay == 0.1);
        CHECK(find(all, "bn.gamma") == nullptr);
        CHECK(find(all, "linear.bias")->learning_rate_factor == 1);
    }

    TEST_CASE("parameters: freeze_others leaves only the groups") {
        FitOptions options;
        options.groups = {{"bias", "", 1.0, std::nullopt}};
        options.freeze_others = true;
        const std::vector<Trained> all = choose_trained(tiny_network(1), options, 0.1);
        REQUIRE(all.size() == 1);
        CHECK(all[0].name == "linear.bias");
    }

    TEST_CASE("parameters: mistakes are refused") {
        FitOptions options;
        options.groups = {{"", "conv.wieght", 1.0, std::nullopt}};
        CHECK(refusal(options) == "train/unknown-parameter");
        options.groups = {{"wait", "", 1.0, std::nullopt}};
        CHECK(refusal(options) == "network/unknown-role");
        options.groups = {};
        options.freeze_others = true;
        CHECK(refusal(options) == "train/nothing-to-train");
    }
}
