// Tests train/recorded_step.cpp and the fits that use it: a recorded step is the step itself. The
// recorder of these tests calls what it is given, and again for every replay but the first, so that
// they run on a CPU; the last one records on a CUDA device.
#include "train/recorded_step.hpp"

#include "train/device.hpp"
#include "train/loss.hpp"
#include "train/trainer.hpp"
#include "unit/train/tiny.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace topress;
using train::FitOptions;
using train::LossInput;
using train::LossResult;
using train::StepRecorder;
using train::Trainer;
using train::test::same_parameters;
using train::test::stripes;
using train::test::tiny_network;

namespace {

struct Counts {
    std::size_t records = 0;
    std::size_t replays = 0;
};

/// Passes everything on. Where there is nothing to pass it on to, the first replay has been done
/// while recording: as on a device, what was recorded has been called once.
class CountingRecorder final : public StepRecorder {
    struct Kept {
        std::function<void()> launch;
        bool is_replayed;
    };

  public:
    CountingRecorder(Counts& counts,
                     std::unique_ptr<StepRecorder> next,
                     std::optional<std::size_t> refused)
        : counts_(counts), next_(std::move(next)), refused_(refused) {}

    std::size_t record(const std::function<void()>& launch) override {
        if (counts_.records == refused_) {
            throw std::runtime_error("cannot be recorded");
        }
        ++counts_.records;
        if (next_) {
            return next_->record(launch);
        }
        launch();
        kept_.push_back({launch, false});
        return kept_.size() - 1;
    }

    void replay(std::size_t recording) override {
        ++counts_.replays;
        if (next_) {
            next_->replay(recording);
        } else if (std::exchange(kept_.at(recording).is_replayed, true)) {
            kept_.at(recording).launch();
        }
    }

  private:
    Counts& counts_;
    std::unique_ptr<StepRecorder> next_;
    std::optional<std::size_t> refused_;  ///< the recording that fails
    std::vector<Kept> kept_;
};

/// 30 steps, of which 25 can be replayed.
FitOptions thirty_steps() {
    FitOptions options;
    options.epochs = 3;
    options.seed = 1;
    return options;
}

struct Trained {
    network::Network network;
    Counts counts;
};

/// A fit of a network with an exit, with a recorder or without.
Trained train_with(const FitOptions& options,
                   bool records,
                   std::optional<std::size_t> refused = std::nullopt) {
    const train::TrainingData data = stripes();
    Trainer trainer(data, train::test::defaults(), at::Device(at::kCPU));
    Trained trained{tiny_network(3, true), {}};
    trainer.set_step_recorder([&]() -> std::unique_ptr<StepRecorder> {
        return records ? std::make_unique<CountingRecorder>(trained.counts, nullptr, refused)
                       : nullptr;
    });
    trainer.fit(trained.network, options);
    return trained;
}

}  // namespace

TEST_SUITE("train") {
    TEST_CASE("recorded step: trains the same bits, recorded once") {
        const Trained eager = train_with(thirty_steps(), false);
        const Trained recorded = train_with(thirty_steps(), true);
        CHECK(recorded.counts.records == 2);  // forward and backward
        CHECK(recorded.counts.replays == 50);
        CHECK(same_parameters(eager.network, recorded.network));
    }

    TEST_CASE("recorded step: what cannot be recorded is launched, and trains the same bits") {
        const Trained eager = train_with(thirty_steps(), false);
        const Trained no_forward = train_with(thirty_steps(), true, 0);
        CHECK(no_forward.counts.replays == 0);
        CHECK(same_parameters(eager.network, no_forward.network));
        const Trained no_backward = train_with(thirty_steps(), true, 1);
        CHECK(no_backward.counts.replays == 1);  // of the forward pass, once
        CHECK(same_parameters(eager.network, no_backward.network));
    }

    TEST_CASE("recorded step: short fits are not worth a recording") {
        FitOptions options = thirty_steps();
        options.epochs = 2;
        CHECK(train_with(options, true).counts.records == 0);
    }

    TEST_CASE("recorded step: a loss may leave outputs without a gradient, and others later") {
        FitOptions options = thirty_steps();
        options.loss = [](const LossInput& input) {
            LossResult result;
            const std::size_t chosen = input.step < 15 ? 0 : 1;
            auto [loss, gradient] = train::cross_entropy(input.outputs.at(chosen), input.labels, 0);
            result.loss = loss;
            result.gradients.resize(2);
            result.gradients[chosen] = gradient;
            return result;
        };
        const Trained eager = train_with(options, false);
        const Trained recorded = train_with(options, true);
        CHECK(recorded.counts.replays == 2 * 10 + 1);
        CHECK(same_parameters(eager.network, recorded.network));
    }

    TEST_CASE("recorded step: hooks find gradients and may change them and the values") {
        FitOptions options = thirty_steps();
        options.after_backward = [](network::Network& network, std::uint64_t, std::uint64_t) {
            network.parameter("conv.weight").tensor.mutable_grad().mul_(0.5);
        };
        options.after_step = [](network::Network& network, std::uint64_t, std::uint64_t) {
            network.parameter("linear.bias").tensor.clamp_min_(0.01);
        };
        const Trained eager = train_with(options, false);
        const Trained recorded = train_with(options, true);
        CHECK(recorded.counts.replays == 50);
        CHECK(same_parameters(eager.network, recorded.network));
    }

    TEST_CASE("recorded step: a hook that replaces a tensor ends the replays") {
        FitOptions options = thirty_steps();
        options.after_step = [](network::Network& network, std::uint64_t step, std::uint64_t) {
            if (step == 9) {  // a buffer: nobody copies its values into the old tensor
                network.set_parameter("bn.mean", at::full({6}, 0.5));
            }
        };
        const Trained eager = train_with(options, false);
        const Trained recorded = train_with(options, true);
        CHECK(recorded.counts.replays == 2 * 5);
        CHECK(same_parameters(eager.network, recorded.network));
    }

    TEST_CASE("recorded step: on a device it trains what single launches train") {
        try {
            static_cast<void>(train::open_device("cuda"));
        } catch (const std::exception&) {
            std::puts("[SKIP] no CUDA device");
            return;
        }
        if (!train::make_step_recorder(train::open_device("cuda"))) {
            std::puts("[SKIP] built without CUDA");
            return;
        }
        const train::TrainingData data = stripes();
        Trainer trainer(data, train::test::defaults(), train::open_device("cuda"));
        network::Network launched = tiny_network(3, true);
        network::Network recorded = launched.clone();
        const network::Network before = launched.clone();
        Counts counts;
        trainer.set_step_recorder([] { return nullptr; });
        trainer.fit(launched, thirty_steps());
        trainer.set_step_recorder([&] {
            return std::make_unique<CountingRecorder>(
                counts, train::make_step_recorder(trainer.device()), std::nullopt);
        });
        trainer.fit(recorded, thirty_steps());
        CHECK(counts.replays == 50);
        // Sums of a device may come in another order in every run.
        double change = 0;
        for (const network::Parameter& parameter : launched.parameters()) {
            CAPTURE(parameter.name);
            const at::Tensor expected = parameter.tensor.cpu();
            const at::Tensor found = recorded.parameter(parameter.name).tensor.cpu();
            CHECK((found - expected).abs().max().item<double>() < 1e-3);
            const at::Tensor old = before.parameter(parameter.name).tensor;
            change = std::max(change, (old - expected).abs().max().item<double>());
        }
        CHECK(change > 0.05);
    }
}
