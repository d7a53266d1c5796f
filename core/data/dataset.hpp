// Data sets in memory: pictures as bytes, labels, classes; loaders for the formats in use.
#pragma once

#include "data/picture_store.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace topress::data {

/// Pictures of one split and what is to be answered about each; the labels tell the task.
struct Samples {
    at::Tensor images;  ///< (N, C, H, W) uint8
    at::Tensor labels;  ///< classification: (N) int64; regression: (N, D) float

    [[nodiscard]] std::int64_t size() const;
    [[nodiscard]] bool is_regression() const;
};

/// Training and test pictures with the names of their classes, or of their targets.
struct Dataset {
    std::string name;
    std::vector<std::string> classes;       ///< empty for regression
    std::vector<std::string> targets = {};  ///< of the D numbers; empty for classification
    Samples train;
    Samples test;
};

/// Formats: "fashion-mnist", "mnist" (idx, plain or .gz), "rotated-fashion-mnist" (its pictures
/// turned, the angle is the target), "cifar10", "cifar100" (binary), "svhn" (.mat), "image-folder"
/// (train/CLASS/*.jpg|png and test/CLASS/..., or pictures beside a targets.csv in both). `path`
/// empty = the usual places: TOPRESS_DATA_DIR/<name>, then the Debian package's folder for
/// fashion-mnist. Throws Error{data/not-found | data/bad-magic | data/truncated |
/// data/inconsistent | data/bad-picture | data/bad-table} naming file and byte offset or line,
/// hint with what to install or set. Pictures that have to be decoded go through `store`.
[[nodiscard]] Dataset load_dataset(const std::string& format,
                                   const std::filesystem::path& path,
                                   const PictureStore& store = {});

[[nodiscard]] std::vector<std::string> formats();

/// Training pictures split in two by class-balanced seeded choice: same seed, same split. Where the
/// labels are numbers, tenths of the first target stand for classes.
struct Split {
    Samples train;
    Samples validation;
};

[[nodiscard]] Split split_validation(const Samples& train,
                                     double validation_ratio,
                                     std::uint64_t seed,
                                     const PictureStore& store = {});

/// The first `count` samples of a seeded class-balanced choice (0 = all).
[[nodiscard]] Samples subset(const Samples& samples,
                             std::int64_t count,
                             std::uint64_t seed,
                             const PictureStore& store = {});

/// The unit that networks learn and answer in: targets less their mean, by their deviation, so that
/// losses and learning rates mean the same whatever is measured. Empty for classification.
struct TargetScale {
    std::vector<double> mean;
    std::vector<double> deviation;  ///< 1 for a target without variation
};

/// Per-channel mean and standard deviation of the pictures scaled to [0, 1], and those of targets.
struct Normalisation {
    std::vector<double> mean;
    std::vector<double> deviation;
    TargetScale targets = {};
};

[[nodiscard]] Normalisation measure_normalisation(const Samples& samples);

/// The same samples with their targets in the unit of `scale`. Requires: a regression.
[[nodiscard]] Samples standardise_targets(const Samples& samples, const TargetScale& scale);

}  // namespace topress::data
