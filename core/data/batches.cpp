// Builds batches: one pass from bytes to normalised floats in channels-last memory.
#include "data/batches.hpp"

#include "base/error.hpp"
#include "data/random.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace topress::data {

namespace {

// Streams of one seed: the order of the samples, and what is done to each.
constexpr std::uint64_t kOrderStream = 1;
constexpr std::uint64_t kAugmentStream = 2;
constexpr std::uint64_t kTurnStream = 3;

// Of one sample: does not depend on batch size or order.
std::uint64_t sample_seed(std::uint64_t seed, std::uint64_t stream, std::int64_t sample) {
    return derive_seed(derive_seed(seed, stream), static_cast<std::uint64_t>(sample));
}

PictureChange draw_change(const Augmentation& augmentation, std::uint64_t seed) {
    Random random(seed);
    const std::int64_t padding = augmentation.crop_padding;
    const auto places = static_cast<std::uint64_t>(2 * padding + 1);
    PictureChange change;
    change.top = static_cast<std::int64_t>(random.below(places)) - padding;
    change.left = static_cast<std::int64_t>(random.below(places)) - padding;
    change.mirrored = augmentation.flip && (random.next() >> 63U) != 0;
    return change;
}

struct Extent {
    std::int64_t channels;
    std::int64_t height;
    std::int64_t width;
};

// One channel of one picture as it is; `step` floats lie between two pixels of the target.
void copy_plane(const std::uint8_t* source,
                std::int64_t area,
                const float* table,
                float* target,
                std::int64_t step) {
    for (std::int64_t i = 0; i < area; ++i) {
        target[i * step] = table[source[i]];
    }
}

// One channel of one picture, moved and mirrored; outside of the picture is black.
void change_plane(const std::uint8_t* source,
                  const Extent& extent,
                  const PictureChange& change,
                  const float* table,
                  float* target,
                  std::int64_t step) {
    for (std::int64_t y = 0; y < extent.height; ++y) {
        const std::int64_t from_y = y + change.top;
        const bool inside = from_y >= 0 && from_y < extent.height;
        const std::uint8_t* row = source + (inside ? from_y * extent.width : 0);
        for (std::int64_t x = 0; x < extent.width; ++x) {
            const std::int64_t from_x = (change.mirrored ? extent.width - 1 - x : x) + change.left;
            const bool visible = inside && from_x >= 0 && from_x < extent.width;
            target[(y * extent.width + x) * step] = table[visible ? row[from_x] : 0];
        }
    }
}

// Normalised value of every byte, a row of 256 for each channel. A table, because it is as fast as
// arithmetic and gives the same bits whether or not the compiler fuses multiply and add.
std::vector<float> make_tables(const Normalisation& normalisation) {
    std::vector<float> tables;
    tables.reserve(normalisation.mean.size() * 256);
    for (std::size_t c = 0; c < normalisation.mean.size(); ++c) {
        for (int value = 0; value < 256; ++value) {
            const double scaled = value / 255.0 - normalisation.mean[c];
            tables.push_back(static_cast<float>(scaled / normalisation.deviation[c]));
        }
    }
    return tables;
}

}  // namespace

BatchReader::BatchReader(const Samples& samples,
                         const Normalisation& normalisation,
                         std::int64_t batch_size,
                         std::optional<Pass> pass,
                         Augmentation augmentation,
                         bool drop_last,
                         Composition composition)
    : samples_{samples.images.contiguous(), samples.labels.contiguous()},
      normalisation_(normalisation),
      batch_size_(batch_size),
      pass_(pass),
      augmentation_(augmentation),
      drop_last_(drop_last),
      with_tensors_(composition == Composition::Tensors || !samples_.images.is_cpu()),
      order_(static_cast<std::size_t>(samples.size())),
      tables_(make_tables(normalisation)) {
    TOPRESS_ASSERT(batch_size > 0 && augmentation.crop_padding >= 0 && augmentation.variants >= 0);
    TOPRESS_ASSERT(samples_.images.scalar_type() == at::kByte && samples_.images.dim() == 4);
    TOPRESS_ASSERT(normalisation.mean.size() == normalisation.deviation.size() &&
                   static_cast<std::int64_t>(normalisation.mean.size()) == samples_.images.size(1));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    if (pass_ && pass_->shuffled) {
        Random random(derive_seed(pass_->seed, kOrderStream));
        shuffle(order_, random);
    }
}

std::int64_t BatchReader::batches() const {
    const auto count = static_cast<std::int64_t>(order_.size());
    return drop_last_ ? count / batch_size_ : (count + batch_size_ - 1) / batch_size_;
}

std::int64_t BatchReader::variant_of(std::int64_t sample) const {
    const auto count = static_cast<std::uint64_t>(augmentation_.pictures_of_one());
    if (!pass_ || count <= 1) {
        return 0;
    }
    // Each sample begins elsewhere, so that a pass shows all variants, and `count` passes show
    // every one once.
    Random random(sample_seed(augmentation_.variant_seed, kTurnStream, sample));
    return static_cast<std::int64_t>((random.below(count) + pass_->number) % count);
}

std::optional<PictureChange> BatchReader::change_of(std::int64_t sample,
                                                    std::int64_t variant) const {
    if (!pass_ || !augmentation_.changes_pictures()) {
        return std::nullopt;
    }
    const std::uint64_t seed =
        augmentation_.variants > 0
            ? derive_seed(sample_seed(augmentation_.variant_seed, kAugmentStream, sample),
                          static_cast<std::uint64_t>(variant))
            : sample_seed(pass_->seed, kAugmentStream, sample);
    return draw_change(augmentation_, seed);
}

void BatchReader::write_picture(std::int64_t sample, std::int64_t variant, float* target) const {
    const Extent extent{samples_.images.size(1), samples_.images.size(2), samples_.images.size(3)};
    const std::int64_t area = extent.height * extent.width;
    const auto* source =
        samples_.images.const_data_ptr<std::uint8_t>() + sample * extent.channels * area;
    const std::optional<PictureChange> change = change_of(sample, variant);
    for (std::int64_t c = 0; c < extent.channels; ++c) {
        const float* table = tables_.data() + c * 256;
        if (change) {
            change_plane(source + c * area, extent, *change, table, target + c, extent.channels);
        } else {
            copy_plane(source + c * area, area, table, target + c, extent.channels);
        }
    }
}

at::Tensor BatchReader::write_pictures(const std::vector<std::int64_t>& samples,
                                       const std::vector<std::int64_t>& variants) const {
    const auto sizes = samples_.images.sizes();
    at::Tensor images =
        at::empty({static_cast<std::int64_t>(samples.size()), sizes[1], sizes[2], sizes[3]},
                  at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
    auto* pixels = images.mutable_data_ptr<float>();
    const std::int64_t picture = sizes[1] * sizes[2] * sizes[3];
    for (std::size_t i = 0; i < samples.size(); ++i) {
        write_picture(samples[i], variants[i], pixels + static_cast<std::int64_t>(i) * picture);
    }
    return images;
}

at::Tensor BatchReader::gather_pictures(const std::vector<std::int64_t>& samples,
                                        const std::vector<std::int64_t>& variants) {
    if (!device_tables_.defined()) {
        device_tables_ = at::tensor(tables_).view({-1, 256}).to(samples_.images.device());
    }
    std::vector<PictureChange> changes;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (const auto change = change_of(samples[i], variants[i])) {
            changes.push_back(*change);
        }
    }
    return compose_pictures(samples_.images, samples, changes, device_tables_);
}

std::int64_t BatchReader::batches_ahead() const {
    // What composing one batch of small pictures asks of a device is launches, not work.
    constexpr std::int64_t kMost = 16;
    constexpr std::int64_t kMostBytes = std::int64_t{32} << 20;
    const auto sizes = samples_.images.sizes();
    const auto bytes =
        static_cast<std::int64_t>(sizeof(float)) * batch_size_ * sizes[1] * sizes[2] * sizes[3];
    return with_tensors_ ? std::clamp<std::int64_t>(kMostBytes / bytes, 1, kMost) : 1;
}

Batch BatchReader::compose(std::int64_t count) {
    const std::vector<std::int64_t> samples(order_.begin() + position_,
                                            order_.begin() + position_ + count);
    std::vector<std::int64_t> variants;
    variants.reserve(samples.size());
    for (const std::int64_t sample : samples) {
        variants.push_back(variant_of(sample));
    }
    Batch batch;
    batch.images =
        with_tensors_ ? gather_pictures(samples, variants) : write_pictures(samples, variants);
    batch.indices = at::tensor(samples, at::kLong);
    batch.variants = at::tensor(variants, at::kLong);
    batch.labels = samples_.labels.index_select(0, batch.indices.to(samples_.labels.device()));
    position_ += count;
    return batch;
}

std::optional<Batch> BatchReader::next() {
    const auto whole = static_cast<std::int64_t>(order_.size());
    const std::int64_t total = drop_last_ ? whole / batch_size_ * batch_size_ : whole;
    if (taken_ == total) {
        return std::nullopt;
    }
    if (taken_ == position_) {
        ahead_ = compose(std::min(batch_size_ * batches_ahead(), total - position_));
    }
    const std::int64_t first = taken_ - (position_ - ahead_.labels.size(0));
    const std::int64_t count = std::min(batch_size_, position_ - taken_);
    taken_ += count;
    return Batch{ahead_.images.narrow(0, first, count),
                 ahead_.labels.narrow(0, first, count),
                 ahead_.indices.narrow(0, first, count),
                 ahead_.variants.narrow(0, first, count)};
}

}  // namespace topress::data
