// Tests train/teacher.cpp: when the logits of a teacher are remembered, and that they are its own.
#include "train/teacher.hpp"

#include "unit/train/tiny.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

using namespace topress;

namespace {

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
}

}  // namespace

TEST_SUITE("train") {
    TEST_CASE("teacher: logits are remembered where every epoch shows the same pictures") {
        CHECK(train::remembers({}, 1));
        CHECK(train::remembers({}, 20));
        CHECK_FALSE(train::remembers({}, 0.5));
        CHECK_FALSE(train::remembers({1, false}, 20));
        CHECK_FALSE(train::remembers({0, true}, 20));
    }

    TEST_CASE("teacher: what it remembers is what it said of that picture") {
        const train::TrainingData data = train::test::stripes();
        network::Network network = train::test::tiny_network(4);
        train::Teacher teacher(network, at::Device(at::kCPU));
        data::BatchReader reader(data.train, data.normalisation, 16, 7);
        const data::Batch batch = *reader.next();
        const at::Tensor asked = teacher.logits(batch);
        int batches = 0;
        teacher.remember(data.train, data.normalisation, [&] { ++batches; });
        CHECK(batches > 0);
        CHECK(largest_difference(teacher.logits(batch), asked) < 1e-5);
        // It is not run any more: a change of its weights changes nothing.
        for (const network::Parameter& parameter : network.parameters()) {
            at::Tensor(parameter.tensor).mul_(2);
        }
        CHECK(largest_difference(teacher.logits(batch), asked) < 1e-5);
    }
}
