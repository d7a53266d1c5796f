// Batch-norm statistics anew, as the plain mean over a number of training batches.
#include "base/profile.hpp"
#include "data/random.hpp"
#include "network/execute.hpp"
#include "train/place.hpp"
#include "train/trainer.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace topress::train {

void Trainer::update_statistics(network::Network& network,
                                std::int64_t batches,
                                std::uint64_t seed) {
    const profile::Span span("statistics");
    const c10::NoGradGuard no_gradients;
    network.to(device_);
    std::int64_t done = 0;
    for (std::uint64_t pass = 0; done < batches; ++pass) {
        data::BatchReader reader = training_reader({data::derive_seed(seed, pass), pass});
        if (reader.batches() == 0) {
            return;
        }
        while (done < batches) {
            throw_if_cancelled();
            std::optional<data::Batch> read = reader.next();
            if (!read) {
                break;
            }
            const data::Batch batch = to_device(std::move(*read), device_);
            network::RunMode mode;
            mode.training = true;
            mode.update_statistics = true;
            // Weight 1, 1/2, 1/3, ...: the first batch replaces the old value, the result is the
            // mean.
            mode.statistics_momentum = 1.0 / static_cast<double>(++done);
            static_cast<void>(network::forward(network, batch.images, mode));
        }
    }
}

}  // namespace topress::train
