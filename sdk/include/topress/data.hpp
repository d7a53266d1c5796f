// Batches of the training and the validation split; the test split is out of reach, on purpose.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>
#include <topress/detail/host.hpp>
#include <topress/number_loss.hpp>
#include <topress/tensor.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <utility>

namespace topress {

enum class Split : std::int32_t {
    Train = TOPRESS_SPLIT_TRAIN,
    Validation = TOPRESS_SPLIT_VALIDATION
};

/// What the data look like.
struct DataInfo {
    std::int64_t classes = 0;  ///< 0: regression, labels are numbers
    std::int64_t channels = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t train_samples = 0;
    std::int64_t validation_samples = 0;
    TaskLoss loss = TaskLoss::CrossEntropy;  ///< of the run's own training

    [[nodiscard]] bool is_regression() const noexcept { return classes == 0; }
};

/// Shape: images (N, C, H, W) float, normalised; labels (N) int64 or, for regression, (N, D) float
/// in the unit that the network answers in (mean 0, deviation 1 over the training set); both on the
/// stage's device.
struct Batch {
    at::Tensor images;
    at::Tensor labels;
};

/// Reads a split once, batch by batch:
///     auto reader = context.batches(Split::Train);
///     while (auto batch = reader.next()) { ... }
class BatchReader {
  public:
    /// Takes over a reader that came from the host.
    explicit BatchReader(topress_reader* handle) noexcept : handle_(handle) {}

    ~BatchReader() { reset(); }

    BatchReader(BatchReader&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

    BatchReader& operator=(BatchReader&& other) noexcept {
        if (this != &other) {
            reset();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }

    BatchReader(const BatchReader&) = delete;
    BatchReader& operator=(const BatchReader&) = delete;

    /// The next batch, or nothing after the last.
    [[nodiscard]] std::optional<Batch> next() {
        Batch batch;
        std::int32_t more = 0;
        detail::call(api().next, handle_, to_handle(batch.images), to_handle(batch.labels), &more);
        if (more == 0) {
            return std::nullopt;
        }
        return batch;
    }

  private:
    static const topress_data_v1& api() { return table<topress_data_v1>(TOPRESS_DATA_1); }

    void reset() noexcept {
        if (handle_ != nullptr) {
            api().close(std::exchange(handle_, nullptr));
        }
    }

    topress_reader* handle_;
};

}  // namespace topress
