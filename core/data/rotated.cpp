// Derives a regression from Fashion-MNIST: by how much was each picture turned?
#include "data/formats.hpp"
#include "data/random.hpp"
#include "data/rotate.hpp"

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>

namespace topress::data {

namespace {

constexpr double kLargestAngle = 60;  // degrees
// Of the data set, not of a run: everybody who uses it has the same pictures.
constexpr std::uint64_t kTrainSeed = 1;
constexpr std::uint64_t kTestSeed = 2;

// Uniform in [-kLargestAngle, kLargestAngle).
double draw_angle(Random& random) {
    const double unit = static_cast<double>(random.next() >> 11U) * 0x1p-53;
    return (2 * unit - 1) * kLargestAngle;
}

Samples turn_pictures(const Samples& upright, std::uint64_t seed) {
    const at::Tensor source = upright.images.contiguous();
    const PictureSize size{source.size(2), source.size(3)};
    const std::int64_t area = size.height * size.width;
    Samples turned{at::empty_like(source), at::empty({upright.size(), 1}, at::kFloat)};
    const auto* from = source.const_data_ptr<std::uint8_t>();
    auto* to = turned.images.mutable_data_ptr<std::uint8_t>();
    auto* angles = turned.labels.mutable_data_ptr<float>();
    Random random(seed);
    for (std::int64_t n = 0; n < upright.size(); ++n) {
        const double angle = draw_angle(random);
        rotate_plane(from + n * area, size, angle, to + n * area);
        angles[n] = static_cast<float>(angle);
    }
    return turned;
}

}  // namespace

Dataset load_rotated_fashion_mnist(const std::filesystem::path& folder) {
    const Dataset upright = load_dataset("fashion-mnist", folder);
    Dataset dataset;
    dataset.targets = {"angle"};
    dataset.train = turn_pictures(upright.train, kTrainSeed);
    dataset.test = turn_pictures(upright.test, kTestSeed);
    return dataset;
}

}  // namespace topress::data
