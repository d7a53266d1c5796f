// The loaders behind load_dataset(), one for each way pictures are stored.
#pragma once

#include "data/dataset.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace topress::data {

/// Pictures and labels in idx files, plain or gzip (MNIST and its relatives), from `folder`.
/// Throws: Error{data/not-found | data/bad-magic | data/truncated | data/inconsistent}.
/// Source: yann.lecun.com/exdb/mnist, "the IDX file format".
[[nodiscard]] Dataset load_idx_folder(const std::filesystem::path& folder,
                                      std::vector<std::string> classes);

/// The binary version of CIFAR-10: data_batch_1..5.bin and test_batch.bin in `folder` or in its
/// "cifar-10-batches-bin". Throws: Error{data/not-found | data/truncated | data/inconsistent}.
/// Source: cs.toronto.edu/~kriz/cifar.html
[[nodiscard]] Dataset load_cifar10(const std::filesystem::path& folder);

/// The binary version of CIFAR-100 with its fine labels: train.bin and test.bin in `folder` or in
/// its "cifar-100-binary". Throws: as load_cifar10().
[[nodiscard]] Dataset load_cifar100(const std::filesystem::path& folder);

/// train/CLASS/*.jpg|jpeg|png and test/CLASS/..., every picture RGB and of one size.
/// Classes are the sorted folder names of train/; names that begin with a dot are not looked at.
/// Throws: Error{data/not-found | data/bad-picture | data/inconsistent}.
[[nodiscard]] Dataset load_image_folder(const std::filesystem::path& folder);

}  // namespace topress::data
