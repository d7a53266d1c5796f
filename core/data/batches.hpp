// Batches of a split: order, augmentation (pad + crop, flip) and normalisation in one pass, from a
// seed.
#pragma once

#include "data/dataset.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace topress::data {

/// What is done to training pictures. Replayed exactly from the seed.
struct Augmentation {
    int crop_padding = 0;  ///< pixels of black on each side before a random crop of the old size
    bool flip = false;     ///< horizontal, probability one half
};

/// images (N, C, H, W) float, channels-last memory, normalised; labels (N) int64; indices (N) int64
/// into the split.
struct Batch {
    at::Tensor images;
    at::Tensor labels;
    at::Tensor indices;
};

/// Reads a split once, batch by batch. With a seed: shuffled and augmented; without: file order,
/// untouched.
class BatchReader {
  public:
    BatchReader(const Samples& samples,
                const Normalisation& normalisation,
                std::int64_t batch_size,
                std::optional<std::uint64_t> seed = std::nullopt,
                Augmentation augmentation = {},
                bool drop_last = false);

    /// The next batch, or nothing after the last.
    [[nodiscard]] std::optional<Batch> next();
    /// Number of batches of the whole pass.
    [[nodiscard]] std::int64_t batches() const;

  private:
    /// Writes sample `sample` of the split, augmented and normalised, as (H, W, C) floats.
    void write_picture(std::int64_t sample, float* target) const;

    Samples samples_;
    Normalisation normalisation_;
    std::int64_t batch_size_;
    std::optional<std::uint64_t> seed_;
    Augmentation augmentation_;
    bool drop_last_;
    std::vector<std::int64_t> order_;
    std::vector<float> tables_;  ///< normalised value of every byte, 256 for each channel
    std::int64_t position_ = 0;
};

}  // namespace topress::data
