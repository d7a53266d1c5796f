// Data sets in memory: pictures as bytes, labels, classes; loaders for the formats in use.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace topress::data {

/// Pictures and labels of one split.
struct Samples {
    at::Tensor images;  ///< (N, C, H, W) uint8
    at::Tensor labels;  ///< (N) int64

    [[nodiscard]] std::int64_t size() const;
};

/// Training and test pictures with their class names.
struct Dataset {
    std::string name;
    std::vector<std::string> classes;
    Samples train;
    Samples test;
};

/// Formats: "fashion-mnist", "mnist" (idx, plain or .gz), "cifar10", "cifar100" (binary),
/// "image-folder" (train/CLASS/*.jpg|png and test/CLASS/...). `path` empty = the usual places:
/// TOPRESS_DATA_DIR/<name>, then the Debian package's folder for fashion-mnist. Throws
/// Error{data/not-found | data/bad-magic | data/truncated | data/inconsistent | data/bad-picture}
/// naming file and byte offset, hint with what to install or set.
[[nodiscard]] Dataset load_dataset(const std::string& format, const std::filesystem::path& path);

[[nodiscard]] std::vector<std::string> formats();

/// Training pictures split in two by class-balanced seeded choice: same seed, same split.
struct Split {
    Samples train;
    Samples validation;
};

[[nodiscard]] Split split_validation(const Samples& train,
                                     double validation_ratio,
                                     std::uint64_t seed);

/// The first `count` samples of a seeded class-balanced choice (0 = all).
[[nodiscard]] Samples subset(const Samples& samples, std::int64_t count, std::uint64_t seed);

/// Per-channel mean and standard deviation of the pictures scaled to [0, 1].
struct Normalisation {
    std::vector<double> mean;
    std::vector<double> deviation;
};

[[nodiscard]] Normalisation measure_normalisation(const Samples& samples);

}  // namespace topress::data
