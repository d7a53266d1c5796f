// Tests train/teacher.cpp: when the logits of a teacher are remembered, and that they are its own.
#include "train/teacher.hpp"

#include "unit/train/tiny.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <map>

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
        CHECK(train::remembers({0, true, 4}, 4));
        CHECK_FALSE(train::remembers({0, true, 4}, 3.5));
    }

    TEST_CASE("teacher: what it remembers is what it said of that picture") {
        train::TrainingData data = train::test::stripes();
        data.augmentation = {1, true, 3, 5};
        network::Network network = train::test::tiny_network(4);
        train::Teacher teacher(network, at::Device(at::kCPU), false);
        const auto batch_of = [&](std::uint64_t number) {
            data::BatchReader reader(
                data.train, data.normalisation, 16, data::Pass{7, number}, data.augmentation);
            return *reader.next();
        };
        const at::Tensor asked = teacher.logits(batch_of(0));
        const at::Tensor asked_later = teacher.logits(batch_of(2));
        train::TeacherMemory memory;
        std::uint64_t batches = 0;
        const train::Asking count = [&](std::uint64_t done, std::uint64_t all) {
            CHECK(done == batches % all + 1);
            ++batches;
        };
        teacher.remember(data, data.train, memory, count);
        CHECK(batches == 3 * ((data.train.size() + 255) / 256));
        CHECK(largest_difference(teacher.logits(batch_of(0)), asked) < 1e-5);
        CHECK(largest_difference(teacher.logits(batch_of(2)), asked_later) < 1e-5);
        CHECK(largest_difference(asked, asked_later) > 1e-3);

        // A later fit with the same teacher asks nothing, one with another teacher asks anew.
        const std::uint64_t before = batches;
        train::Teacher(network, at::Device(at::kCPU), false)
            .remember(data, data.train, memory, count);
        CHECK(batches == before);
        // It is not run any more: a change of its weights changes nothing.
        for (const network::Parameter& parameter : network.parameters()) {
            at::Tensor(parameter.tensor).mul_(2);
        }
        CHECK(largest_difference(teacher.logits(batch_of(0)), asked) < 1e-5);
        train::Teacher(network, at::Device(at::kCPU), false)
            .remember(data, data.train, memory, count);
        CHECK(batches == 2 * before);
    }

    TEST_CASE("teacher: what it said is taken from the store, and left there") {
        train::TrainingData data = train::test::stripes();
        const network::Network network = train::test::tiny_network(4);
        const train::Asking nobody = [](std::uint64_t, std::uint64_t) { FAIL("asked"); };
        const train::Asking anybody = [](std::uint64_t, std::uint64_t) {};
        std::map<std::string, at::Tensor> kept;
        const auto memory_of = [&] {
            train::TeacherMemory memory;
            memory.store = {[&](const std::string& teacher) {
                                return kept.contains(teacher) ? kept.at(teacher) : at::Tensor();
                            },
                            [&](const std::string& teacher, const at::Tensor& logits) {
                                kept[teacher] = logits;
                            }};
            return memory;
        };
        train::TeacherMemory first = memory_of();
        train::Teacher(network, at::Device(at::kCPU), false)
            .remember(data, data.train, first, anybody);
        REQUIRE(kept.size() == 1);
        CHECK(kept.begin()->second.sizes() == at::IntArrayRef({data.train.size(), 1, 3}));

        train::TeacherMemory second = memory_of();
        train::Teacher again(network, at::Device(at::kCPU), false);
        again.remember(data, data.train, second, nobody);
        data::BatchReader reader(
            data.train, data.normalisation, 16, data::Pass{7, 0}, data.augmentation);
        const data::Batch batch = *reader.next();
        CHECK(at::equal(again.logits(batch), first.logits.squeeze(1).index({batch.indices})));

        train::TeacherMemory third = memory_of();
        train::Teacher(train::test::tiny_network(5), at::Device(at::kCPU), false)
            .remember(data, data.train, third, anybody);
        CHECK(kept.size() == 2);
    }
}
