// What a saved network remembers of its data.
#include "pipeline/run_data.hpp"

#include "base/error.hpp"
#include "pipeline/dataset_shape.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

using namespace topress;

namespace {

pipeline::DataMemory memory() {
    pipeline::DataMemory memory;
    memory.data.dataset = "mnist";
    memory.data.validation_ratio = 0.1;
    memory.data.train_samples = 1000;
    memory.data.test_samples = 200;
    memory.data.seed = 5;
    memory.data.path = "somewhere/of/this/machine";
    memory.normalisation = {{0.1 + 0.2}, {1.0 / 3.0}};
    memory.classes = {"zero", "one"};
    return memory;
}

train::TrainingData data_of(std::int64_t channels, std::size_t classes) {
    train::TrainingData data;
    data.train.images = at::zeros({4, channels, 16, 16}, at::kByte);
    data.classes.resize(classes, "class");
    return data;
}

std::string code_of(const train::TrainingData& data) {
    try {
        pipeline::require_fitting(test::small_network(), data);
    } catch (const Error& error) {
        return error.code();
    }
    return {};
}

}  // namespace

TEST_CASE("run data: normalisation survives to the last bit and the path stays out") {
    const auto metadata = pipeline::to_metadata(memory());
    const auto back = pipeline::memory_of(metadata, "file");
    REQUIRE(back);
    CHECK(back->normalisation.mean == memory().normalisation.mean);
    CHECK(back->normalisation.deviation == memory().normalisation.deviation);
    CHECK(back->classes == memory().classes);
    CHECK(back->data.train_samples == 1000);
    CHECK(back->data.test_samples == 200);
    CHECK(back->data.seed == 5);
    CHECK(back->data.path.empty());
}

TEST_CASE("run data: a network without memory is none and a broken one an error") {
    CHECK_FALSE(pipeline::memory_of({}, "file"));
    CHECK_THROWS_AS(static_cast<void>(pipeline::memory_of({{"data", "{"}}, "file")), Error);
    CHECK_THROWS_AS(static_cast<void>(pipeline::memory_of({{"data", "{}"}}, "file")), Error);
}

TEST_CASE("run data: pictures and classes must fit the network") {
    CHECK(code_of(data_of(1, 10)).empty());
    CHECK(code_of(data_of(3, 10)) == "data/mismatch");
    CHECK(code_of(data_of(1, 7)) == "data/mismatch");
}

TEST_CASE("run data: published data sets have a known shape and folders do not") {
    CHECK(pipeline::shape_of_format("cifar10")->picture == std::vector<std::int64_t>{3, 32, 32});
    CHECK(pipeline::shape_of_format("cifar100")->classes == 100);
    CHECK(pipeline::shape_of_format("fashion-mnist")->picture ==
          std::vector<std::int64_t>{1, 28, 28});
    CHECK_FALSE(pipeline::shape_of_format("image-folder"));
}

TEST_CASE(
    "run data: targets and their unit survive to the last bit, and classes say nothing of them") {
    pipeline::DataMemory numbers = memory();
    numbers.classes.clear();
    numbers.targets = {"angle", "length"};
    numbers.normalisation.targets = {{0.1 + 0.2, -7}, {1.0 / 3.0, 2}};
    const auto back = pipeline::memory_of(pipeline::to_metadata(numbers), "file");
    REQUIRE(back);
    CHECK(back->targets == numbers.targets);
    CHECK(back->normalisation.targets.mean == numbers.normalisation.targets.mean);
    CHECK(back->normalisation.targets.deviation == numbers.normalisation.targets.deviation);
    CHECK(pipeline::to_metadata(memory()).at("data").find("target") == std::string::npos);
}

TEST_CASE("run data: the number of targets must fit the network") {
    train::TrainingData data = data_of(1, 0);
    data.targets.resize(10, "target");
    CHECK(code_of(data).empty());
    data.targets.resize(2);
    CHECK(code_of(data) == "data/mismatch");
}
