// Context: names, random numbers, figures, artefacts, progress, cancellation, data.
#include "unit/host/stage.hpp"

#include <topress/stream.hpp>

#include <atomic>
#include <filesystem>

namespace topress::test {

namespace {

std::vector<std::uint64_t> first_numbers(std::uint64_t seed, const std::string& label) {
    Stage stage;
    stage.services.seed = seed;
    stage.services.label = label;
    std::vector<std::uint64_t> numbers;
    stage.run([&](Model&, Context& context) {
        for (int i = 0; i < 4; ++i) {
            numbers.push_back(context.random());
        }
    });
    return numbers;
}

}  // namespace

TEST_SUITE("host: context") {
    TEST_CASE("label and device are those of the stage") {
        Stage().run([](Model&, Context& context) {
            CHECK(context.label() == "label");
            CHECK(context.device().is_cpu());
            CHECK(current_stream(context.device()) == nullptr);
        });
    }

    TEST_CASE("random numbers depend on seed and label only") {
        const auto numbers = first_numbers(7, "a");
        CHECK(numbers == first_numbers(7, "a"));
        CHECK(numbers != first_numbers(8, "a"));
        CHECK(numbers != first_numbers(7, "b"));
        CHECK(numbers[0] != numbers[1]);
    }

    TEST_CASE("figures are kept in order and the last value counts") {
        Stage stage;
        stage.run([](Model&, Context& context) {
            context.metric("ratio", 0.5);
            context.metric("count", 3);
            context.metric("ratio", 0.25);
        });
        REQUIRE(stage.services.metrics.size() == 2);
        CHECK(stage.services.metrics[0] == std::pair<std::string, double>("ratio", 0.25));
        CHECK(stage.services.metrics[1] == std::pair<std::string, double>("count", 3));
    }

    TEST_CASE("the artefact directory exists once it was asked for") {
        const auto folder = std::filesystem::temp_directory_path() / "topress-host-context-test";
        std::filesystem::remove_all(folder);
        Stage stage;
        stage.services.artefact_directory = folder / "stage";
        stage.run([&](Model&, Context& context) {
            CHECK(!std::filesystem::exists(folder));
            CHECK(context.artefact_directory().string() == (folder / "stage").string());
            CHECK(std::filesystem::is_directory(folder / "stage"));
        });
        std::filesystem::remove_all(folder);
    }

    TEST_CASE("progress reaches the host and its absence is no error") {
        Stage stage;
        stage.run([](Model&, Context& context) { context.progress(1, 2, "unheard"); });
        std::vector<train::ProgressEvent> events;
        stage.services.progress = [&](const train::ProgressEvent& event) {
            events.push_back(event);
        };
        stage.run([](Model&, Context& context) { context.progress(3, 9, "thresholds"); });
        REQUIRE(events.size() == 1);
        CHECK(events[0].phase == "thresholds");
        CHECK(events[0].step == 3);
        CHECK(events[0].steps == 9);
    }

    TEST_CASE("a log line of several lines and of any level is accepted") {
        Stage().run([](Model&, Context& context) {
            context.log_debug("one\ntwo");
            context.log_info("three");
        });
    }

    TEST_CASE("a technique that sees the cancellation ends as interrupted") {
        Stage stage;
        std::atomic<bool> stop{false};
        stage.services.cancelled = [&] { return stop.load(); };
        std::string code;
        try {
            stage.run([&](Model&, Context& context) {
                CHECK(!context.cancelled());
                context.throw_if_cancelled();
                stop = true;
                CHECK(context.cancelled());
                context.throw_if_cancelled();
            });
        } catch (const Error& error) {
            code = error.code();
        }
        CHECK(code == "run/interrupted");
    }

    TEST_CASE("data info and batches show the training and the validation split") {
        Stage().run([](Model&, Context& context) {
            const DataInfo info = context.info();
            CHECK(info.classes == 3);
            CHECK(info.channels == 1);
            CHECK(info.height == 8);
            CHECK(info.width == 8);
            CHECK(info.train_samples == 60);
            CHECK(info.validation_samples == 24);
            BatchReader reader = context.batches(Split::Validation, 10);
            std::vector<std::int64_t> sizes;
            while (const auto batch = reader.next()) {
                CHECK((batch->images.scalar_type() == at::kFloat));
                sizes.push_back(batch->labels.size(0));
            }
            CHECK(sizes == std::vector<std::int64_t>{10, 10, 4});
            CHECK(!reader.next());
        });
    }

    TEST_CASE("batches have the size of the run unless another is given") {
        Stage().run([](Model&, Context& context) {
            CHECK(context.batches(Split::Train).next()->labels.size(0) == 12);
            CHECK(context.batches(Split::Train, 1ULL << 63U).next()->labels.size(0) == 60);
        });
    }

    TEST_CASE("shuffling depends on the seed; without it the order is that of the file") {
        Stage().run([](Model&, Context& context) {
            const auto labels = [&](bool augment, std::uint64_t seed) {
                return context.batches(Split::Train, 60, augment, seed).next()->labels;
            };
            CHECK(at::equal(labels(false, 1), at::arange(60).remainder(3)));
            CHECK(at::equal(labels(true, 1), labels(true, 1)));
            CHECK(!at::equal(labels(true, 1), labels(true, 2)));
        });
    }

    TEST_CASE("labels that are numbers reach a technique as floats, with the loss of the run") {
        train::TrainingData data = make_data();
        data.classes.clear();
        data.targets = {"first", "second", "third"};
        data.normalisation.targets = {{0, 0, 0}, {1, 1, 1}};
        for (data::Samples* samples : {&data.train, &data.validation, &data.test}) {
            samples->labels = at::one_hot(samples->labels, 3).to(at::kFloat);
        }
        train::TrainingDefaults defaults = make_defaults();
        defaults.loss = "huber";
        train::Trainer trainer(data, defaults, at::kCPU);
        Stage stage;
        stage.services.trainer = &trainer;
        stage.run([](Model& model, Context& context) {
            CHECK(context.info().is_regression());
            CHECK(context.info().loss == TaskLoss::Huber);
            const Batch batch = *context.batches(Split::Train).next();
            CHECK((batch.labels.scalar_type() == at::kFloat));
            CHECK(batch.labels.sizes() == at::IntArrayRef({12, 3}));
            OwnedModel other = model.clone();
            FitOptions options;
            options.seed = 3;
            options.epochs = 4;
            const double before = context.evaluate(model).accuracy;
            context.fit(model, options);
            CHECK(context.evaluate(model).accuracy > before);
            // The built-in loss is the one a technique makes from what it is told.
            options.loss = [&](const LossInput& input) {
                NumberLoss loss =
                    number_loss(input.outputs.back(), input.labels, context.info().loss);
                return Loss{loss.value, {loss.gradient}};
            };
            context.fit(other, options);
            CHECK(
                at::allclose(model.parameter("l.weight"), other.parameter("l.weight"), 1e-4, 1e-6));
        });
    }

    TEST_CASE("readers can be moved") {
        Stage().run([](Model&, Context& context) {
            BatchReader reader = context.batches(Split::Train);
            BatchReader other = std::move(reader);
            reader = context.batches(Split::Validation);
            other = std::move(reader);
            CHECK(other.next().has_value());
        });
    }
}

}  // namespace topress::test
