// Batches of a split: order, augmentation (pad + crop, flip) and normalisation in one pass, from a
// seed.
#pragma once

#include "data/compose.hpp"
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
    int variants = 0;      ///< pictures made of each, shown in turn; 0 = another one in every pass
    std::uint64_t variant_seed = 0;  ///< decides what the variants look like, whatever the pass

    /// Whether a picture may look different from one epoch to the next.
    [[nodiscard]] bool changes_pictures() const { return crop_padding > 0 || flip; }

    /// How many pictures one can become; 0 = too many to remember anything about each.
    [[nodiscard]] int pictures_of_one() const { return changes_pictures() ? variants : 1; }
};

/// images (N, C, H, W) float, channels-last memory, normalised; labels (N) int64 or (N, D) float,
/// as the samples have them; indices (N) int64 into the split; variants (N) int64, below
/// Augmentation::pictures_of_one(): which of its pictures each sample is, 0 where there are too
/// many.
struct Batch {
    at::Tensor images;
    at::Tensor labels;
    at::Tensor indices;
    at::Tensor variants;
};

/// One training pass over a split.
struct Pass {
    std::uint64_t seed = 0;    ///< order of the samples and, without variants, their changes
    std::uint64_t number = 0;  ///< of the pass in its training: variants take turns
    bool shuffled = true;      ///< otherwise in file order
};

/// How the pictures of a batch are made; both ways give the same bits.
enum class Composition {
    ByPlace,  ///< a loop in memory, tensor operations for samples that are on a device
    Tensors
};

/// Reads a split once, batch by batch. With a pass: shuffled and augmented; without: file order,
/// untouched. Pictures and labels of a batch are where those of the split are, indices and variants
/// in memory.
class BatchReader {
  public:
    BatchReader(const Samples& samples,
                const Normalisation& normalisation,
                std::int64_t batch_size,
                std::optional<Pass> pass = std::nullopt,
                Augmentation augmentation = {},
                bool drop_last = false,
                Composition composition = Composition::ByPlace);

    /// The next batch, or nothing after the last.
    [[nodiscard]] std::optional<Batch> next();
    /// Number of batches of the whole pass.
    [[nodiscard]] std::int64_t batches() const;

  private:
    /// Which of its pictures a sample is in this pass.
    [[nodiscard]] std::int64_t variant_of(std::int64_t sample) const;
    /// How that picture of a sample differs from it; none: not at all.
    [[nodiscard]] std::optional<PictureChange> change_of(std::int64_t sample,
                                                         std::int64_t variant) const;
    /// Writes that picture of a sample, normalised, as (H, W, C) floats.
    void write_picture(std::int64_t sample, std::int64_t variant, float* target) const;
    /// (N, C, H, W), in memory.
    [[nodiscard]] at::Tensor write_pictures(const std::vector<std::int64_t>& samples,
                                            const std::vector<std::int64_t>& variants) const;
    /// The same where the samples are.
    [[nodiscard]] at::Tensor gather_pictures(const std::vector<std::int64_t>& samples,
                                             const std::vector<std::int64_t>& variants);
    /// How many batches are made at once.
    [[nodiscard]] std::int64_t batches_ahead() const;
    /// The next `count` samples of the pass.
    [[nodiscard]] Batch compose(std::int64_t count);

    Samples samples_;
    Normalisation normalisation_;
    std::int64_t batch_size_;
    std::optional<Pass> pass_;
    Augmentation augmentation_;
    bool drop_last_;
    bool with_tensors_;
    std::vector<std::int64_t> order_;
    std::vector<float> tables_;  ///< normalised value of every byte, 256 for each channel
    at::Tensor device_tables_;   ///< (C, 256), where the samples are; made when needed
    std::int64_t position_ = 0;  ///< samples composed
    std::int64_t taken_ = 0;     ///< samples handed out
    Batch ahead_;                ///< the samples before position_, composed at once
};

}  // namespace topress::data
