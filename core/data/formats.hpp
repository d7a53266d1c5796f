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

/// Street View House Numbers, cropped digits: train_32x32.mat and test_32x32.mat, X (32, 32, 3, N)
/// uint8 and y (N, 1) with 10 for the digit 0. Throws: Error{data/not-found | data/truncated |
/// data/inconsistent}. Source: ufldl.stanford.edu/housenumbers
[[nodiscard]] Dataset load_svhn(const std::filesystem::path& folder);

/// Fashion-MNIST with every picture turned counter-clockwise by an angle of its own, uniform in
/// [-60, 60] degrees and the same in every run; the target is "angle", in degrees.
/// Throws: as load_idx_folder().
[[nodiscard]] Dataset load_rotated_fashion_mnist(const std::filesystem::path& folder);

/// With a train/targets.csv as load_target_folder(); else train/CLASS/*.jpg|jpeg|png and
/// test/CLASS/..., every picture RGB and of one size.
/// Classes are the sorted folder names of train/; names that begin with a dot are not looked at.
/// Throws: Error{data/not-found | data/bad-picture | data/inconsistent}.
[[nodiscard]] Dataset load_image_folder(const std::filesystem::path& folder,
                                        const PictureStore& store);

/// Pictures and a targets.csv in train/ and in test/. The head of the table names its columns: the
/// first holds file names below the folder, each other one a target; a row for every picture.
/// Throws: as load_image_folder(), and Error{data/bad-table} with the line.
[[nodiscard]] Dataset load_target_folder(const std::filesystem::path& folder,
                                         const PictureStore& store);

/// Throws: Error{data/not-found} that names the file and its folder.
[[noreturn]] void throw_missing(const std::filesystem::path& file, const std::string& hint);

}  // namespace topress::data
