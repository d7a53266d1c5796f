// Which loader belongs to a format, where its files are looked for, and figures about samples.
#include "data/dataset.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "data/formats.hpp"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

struct Format {
    const char* name;
    const char* folder;  ///< in TOPRESS_DATA_DIR
    Dataset (*load)(const fs::path&, const PictureStore&);
    const char* system_folder;  ///< where a package of the distribution puts it, "" = nowhere
    const char* how_to_get;
};

Dataset load_fashion_mnist(const fs::path& folder) {
    return load_idx_folder(folder,
                           {"T-shirt/top",
                            "Trouser",
                            "Pullover",
                            "Dress",
                            "Coat",
                            "Sandal",
                            "Shirt",
                            "Sneaker",
                            "Bag",
                            "Ankle boot"});
}

Dataset load_mnist(const fs::path& folder) {
    return load_idx_folder(folder, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

/// A loader of small pictures, which need no decoding.
template <Dataset (*load)(const fs::path&)>
Dataset in_memory(const fs::path& folder, const PictureStore&) {
    return load(folder);
}

constexpr const char* kFashionFolder = "/usr/share/datasets/fashion-mnist";
constexpr const char* kFashionPackage =
    "apt-get install dataset-fashion-mnist (Debian), or set data.path";

constexpr std::array<Format, 7> kFormats = {{
    {"fashion-mnist",
     "fashion-mnist",
     in_memory<load_fashion_mnist>,
     kFashionFolder,
     kFashionPackage},
    {"mnist",
     "mnist",
     in_memory<load_mnist>,
     "",
     "set data.path to the folder with the four idx files"},
    {"cifar10",
     "cifar10",
     in_memory<load_cifar10>,
     "",
     "set data.path to the folder with data_batch_1.bin"},
    {"cifar100",
     "cifar100",
     in_memory<load_cifar100>,
     "",
     "set data.path to the folder with train.bin"},
    {"svhn", "svhn", in_memory<load_svhn>, "", "set data.path to the folder with train_32x32.mat"},
    {"rotated-fashion-mnist",
     "fashion-mnist",
     in_memory<load_rotated_fashion_mnist>,
     kFashionFolder,
     kFashionPackage},
    {"image-folder",
     "image-folder",
     load_image_folder,
     "",
     "set data.path to the folder that holds train/ and test/"},
}};

const Format& find_format(const std::string& name) {
    for (const Format& format : kFormats) {
        if (name == format.name) {
            return format;
        }
    }
    const auto near = nearest(name, formats());
    std::string known;
    for (const Format& format : kFormats) {
        known.append(known.empty() ? "known are " : ", ").append(format.name);
    }
    throw Error("data/unknown-format",
                "unknown data set '" + name + "'",
                {},
                near ? "did you mean '" + *near + "'?" : known);
}

// The folders to look in, first hit wins: the one that was named, or the usual places.
std::vector<fs::path> places_of(const Format& format, const fs::path& path) {
    if (!path.empty()) {
        return {path};
    }
    std::vector<fs::path> places;
    const char* root = ::secure_getenv("TOPRESS_DATA_DIR");  // not of a caller with fewer rights
    if (root != nullptr && *root != '\0') {
        places.push_back(fs::path(root) / format.folder);
    }
    if (*format.system_folder != '\0') {
        places.emplace_back(format.system_folder);
    }
    return places;
}

fs::path find_folder(const Format& format, const fs::path& path) {
    std::string looked_in;
    for (const fs::path& place : places_of(format, path)) {
        std::error_code ignored;
        if (fs::is_directory(place, ignored)) {
            return place;
        }
        looked_in += (looked_in.empty() ? "" : ", ") + place.string();
    }
    throw Error(
        "data/not-found",
        std::string("no folder with the data set '") + format.name + "'" +
            (looked_in.empty() ? "" : ", looked in " + looked_in),
        looked_in,
        std::string(format.how_to_get) +
            (path.empty() ? std::string(", or TOPRESS_DATA_DIR to the parent of a folder '") +
                                format.folder + "'"
                          : std::string()));
}

// Sums of the byte values of one channel: integers, so that the result is exact.
struct Sums {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
};

Sums sum_plane(const std::uint8_t* pixels, std::int64_t count) {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint32_t value = pixels[i];
        first += value;
        second += std::uint64_t{value * value};
    }
    return {first, second};
}

// Of every target of a regression.
TargetScale measure_targets(const Samples& samples) {
    const at::Tensor targets = samples.labels.to(at::kDouble);
    TargetScale scale;
    for (std::int64_t d = 0; d < targets.size(1); ++d) {
        const at::Tensor target = targets.select(1, d);
        const double mean = target.mean().item<double>();
        const double deviation = (target - mean).square().mean().sqrt().item<double>();
        scale.mean.push_back(mean);
        scale.deviation.push_back(deviation > 0 ? deviation : 1.0);
    }
    return scale;
}

}  // namespace

std::int64_t Samples::size() const {
    return labels.defined() ? labels.size(0) : 0;
}

bool Samples::is_regression() const {
    return labels.defined() && labels.is_floating_point();
}

void throw_missing(const std::filesystem::path& file, const std::string& hint) {
    throw Error(
        "data/not-found",
        "no file '" + file.filename().string() + "' in '" + file.parent_path().string() + "'",
        file.string(),
        hint);
}

std::vector<std::string> formats() {
    std::vector<std::string> names;
    for (const Format& format : kFormats) {
        names.emplace_back(format.name);
    }
    return names;
}

Dataset load_dataset(const std::string& format, const fs::path& path, const PictureStore& store) {
    const Format& known = find_format(format);
    Dataset dataset = known.load(find_folder(known, path), store);
    dataset.name = format;
    return dataset;
}

Normalisation measure_normalisation(const Samples& samples) {
    const at::Tensor images = samples.images.contiguous();
    const std::int64_t channels = images.size(1);
    const std::int64_t area = images.size(2) * images.size(3);
    const auto count = static_cast<double>(images.size(0) * area);
    const auto* pixels = images.const_data_ptr<std::uint8_t>();
    Normalisation result;
    for (std::int64_t c = 0; c < channels; ++c) {
        Sums sums;
        for (std::int64_t n = 0; n < images.size(0); ++n) {
            const Sums part = sum_plane(pixels + (n * channels + c) * area, area);
            sums.first += part.first;
            sums.second += part.second;
        }
        const double mean = count > 0 ? static_cast<double>(sums.first) / count : 0;
        const double square = count > 0 ? static_cast<double>(sums.second) / count : 0;
        const double variance = square - mean * mean;
        result.mean.push_back(mean / 255.0);
        // A channel without contrast is left as it is rather than divided by zero.
        result.deviation.push_back(variance > 1e-9 ? std::sqrt(variance) / 255.0 : 1.0);
    }
    if (samples.is_regression()) {
        result.targets = measure_targets(samples);
    }
    return result;
}

Samples standardise_targets(const Samples& samples, const TargetScale& scale) {
    const at::Tensor mean = at::tensor(scale.mean, at::kDouble);
    const at::Tensor deviation = at::tensor(scale.deviation, at::kDouble);
    return {samples.images, samples.labels.to(at::kDouble).sub(mean).div(deviation).to(at::kFloat)};
}

}  // namespace topress::data
