// Seeded, balanced choices of samples: the same on every platform and nested in each other.
#include "base/error.hpp"
#include "data/dataset.hpp"
#include "data/random.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace topress::data {

namespace {

// Where a sample stands in the shuffled list of its class of `count` members.
struct Place {
    std::uint64_t rank;
    std::uint64_t count;
    std::uint64_t tie;  ///< random number of the class
    std::int64_t index;
};

// By (rank + 1/2) / count, so that every class is spread evenly over the whole order.
bool comes_before(const Place& a, const Place& b) {
    const std::uint64_t left = (2 * a.rank + 1) * b.count;
    const std::uint64_t right = (2 * b.rank + 1) * a.count;
    if (left != right) {
        return left < right;
    }
    return a.tie != b.tie ? a.tie < b.tie : a.index < b.index;
}

constexpr std::int64_t kParts = 10;

// What is balanced, (N) int64: the classes, or in which tenth of its values the first target lies.
at::Tensor parts_of(const Samples& samples) {
    if (!samples.is_regression()) {
        return samples.labels.contiguous();
    }
    const at::Tensor order = samples.labels.select(1, 0).argsort(true, 0, false);
    at::Tensor parts = at::empty({samples.size()}, at::kLong);
    parts.index_copy_(0,
                      order,
                      at::arange(samples.size(), at::kLong)
                          .mul(kParts)
                          .floor_divide(std::max<std::int64_t>(1, samples.size())));
    return parts;
}

// All samples in an order whose every beginning holds the parts in their proportions.
std::vector<std::int64_t> balanced_order(const Samples& samples, std::uint64_t seed) {
    const at::Tensor flat = parts_of(samples);
    const auto* label = flat.const_data_ptr<std::int64_t>();
    std::map<std::int64_t, std::vector<std::int64_t>> members;
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
        members[label[i]].push_back(i);
    }
    std::vector<Place> places;
    places.reserve(static_cast<std::size_t>(flat.numel()));
    for (auto& [name, indices] : members) {
        Random random(derive_seed(seed, static_cast<std::uint64_t>(name)));
        const std::uint64_t tie = random.next();
        shuffle(indices, random);
        for (std::size_t rank = 0; rank < indices.size(); ++rank) {
            places.push_back({rank, indices.size(), tie, indices[rank]});
        }
    }
    std::sort(places.begin(), places.end(), comes_before);
    std::vector<std::int64_t> order;
    order.reserve(places.size());
    for (const Place& place : places) {
        order.push_back(place.index);
    }
    return order;
}

// The chosen samples in file order.
Samples take(const Samples& samples, std::vector<std::int64_t> indices, const PictureStore& store) {
    std::sort(indices.begin(), indices.end());
    const auto count = static_cast<std::int64_t>(indices.size());
    const at::Tensor chosen = at::from_blob(indices.data(), {count}, at::kLong);
    auto sizes = samples.images.sizes().vec();
    sizes[0] = count;
    at::Tensor images = passing_pictures(store, sizes);
    at::index_select_out(images, samples.images, 0, chosen);
    return {images, samples.labels.index_select(0, chosen)};
}

}  // namespace

Split split_validation(const Samples& train,
                       double validation_ratio,
                       std::uint64_t seed,
                       const PictureStore& store) {
    if (!(validation_ratio >= 0 && validation_ratio < 1)) {
        throw Error(
            "data/bad-split",
            "validation share " + std::to_string(validation_ratio) + " is not in the range 0 to 1",
            {},
            "choose a share such as 0.1");
    }
    const auto wanted = std::llround(validation_ratio * static_cast<double>(train.size()));
    // A share that was asked for is never empty, and something is left to train on.
    const std::int64_t least = validation_ratio > 0 ? std::min<std::int64_t>(1, train.size()) : 0;
    const std::int64_t count =
        std::clamp<std::int64_t>(wanted, least, std::max(least, train.size() - 1));
    const std::vector<std::int64_t> order = balanced_order(train, seed);
    const auto middle = order.begin() + count;
    return {take(train, {middle, order.end()}, store), take(train, {order.begin(), middle}, store)};
}

Samples subset(const Samples& samples,
               std::int64_t count,
               std::uint64_t seed,
               const PictureStore& store) {
    if (count <= 0 || count >= samples.size()) {
        return samples;
    }
    const std::vector<std::int64_t> order = balanced_order(samples, seed);
    return take(samples, {order.begin(), order.begin() + count}, store);
}

}  // namespace topress::data
