// A loss that jumps within a fit is said once a stage; whatever else may raise a loss is not.
#include "pipeline/loss_watch.hpp"

#include <doctest/doctest.h>

using namespace topress;

namespace {

/// The end of an epoch of ten steps.
train::ProgressEvent epoch_end(const char* phase, int epoch, int epochs, double loss) {
    train::ProgressEvent event;
    event.phase = phase;
    event.epoch = epoch;
    event.epochs = epochs;
    event.step = static_cast<std::uint64_t>(epoch) * 10;
    event.steps = static_cast<std::uint64_t>(epochs) * 10;
    event.loss = loss;
    event.epoch_end = true;
    return event;
}

Diagnostics found_in(const std::vector<train::ProgressEvent>& events) {
    pipeline::LossWatch watch;
    watch.begin("baseline");
    for (const train::ProgressEvent& event : events) {
        watch.hear(event);
    }
    return watch.take();
}

}  // namespace

TEST_CASE("loss watch: a jump is named with its epoch, the first of a stage only") {
    const Diagnostics found = found_in({epoch_end("train", 1, 12, 0.8),
                                        epoch_end("train", 2, 12, 0.36),
                                        epoch_end("train", 3, 12, 0.69),
                                        epoch_end("train", 4, 12, 2.5)});
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Severity::Warning);
    CHECK(found[0].code == "train/loss-jumped");
    CHECK(found[0].message.find("'baseline' rose from 0.36 to 0.69 in epoch 3 of 12") !=
          std::string::npos);
    CHECK(found[0].hint.find("learning_rate") != std::string::npos);
}

TEST_CASE("loss watch: a loss that rises a little is left alone") {
    CHECK(found_in({epoch_end("train", 1, 3, 0.30), epoch_end("train", 2, 3, 0.44)}).empty());
}

TEST_CASE("loss watch: near nothing left to learn a loss may double") {
    CHECK(found_in({epoch_end("train", 1, 3, 0.8),
                    epoch_end("train", 2, 3, 0.001),
                    epoch_end("train", 3, 3, 0.002)})
              .empty());
}

TEST_CASE("loss watch: the next piece of a phase may begin at any loss") {
    // Pruning: every step removes channels and is a fit of its own.
    CHECK(found_in({epoch_end("prune", 1, 1, 0.2), epoch_end("prune", 1, 1, 0.9)}).empty());
    CHECK(found_in({epoch_end("prune", 2, 2, 0.2), epoch_end("prune", 1, 2, 0.9)}).empty());
    CHECK(found_in({epoch_end("prune", 1, 2, 0.2), epoch_end("prune", 2, 9, 0.9)}).empty());
}

TEST_CASE("loss watch: so may another phase, as when bits fall") {
    CHECK(found_in({epoch_end("quantize-8", 1, 2, 0.2), epoch_end("quantize", 2, 2, 0.9)}).empty());
}

TEST_CASE("loss watch: within an epoch the loss is not looked at") {
    train::ProgressEvent early = epoch_end("train", 2, 3, 9);
    early.epoch_end = false;
    CHECK(found_in({epoch_end("train", 1, 3, 0.3), early, epoch_end("train", 2, 3, 0.2)}).empty());
}

TEST_CASE("loss watch: the next stage starts without") {
    pipeline::LossWatch watch;
    watch.begin("baseline");
    watch.hear(epoch_end("train", 1, 3, 0.1));
    watch.hear(epoch_end("train", 2, 3, 0.9));
    watch.begin("student");
    CHECK(watch.take().empty());
    watch.hear(epoch_end("train", 3, 3, 9.0));
    CHECK(watch.take().empty());
}
