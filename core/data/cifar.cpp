// Reads the binary CIFAR-10 and CIFAR-100 files: records of labels and 3072 bytes, planes R, G, B.
#include "base/error.hpp"
#include "base/files.hpp"
#include "data/formats.hpp"

#include <ATen/ATen.h>

#include <cstring>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 32;
constexpr std::int64_t kPictureBytes = 3 * kSide * kSide;

// How one record is laid out: label bytes first, the last of them is the one that counts.
struct Layout {
    std::int64_t label_bytes;
    std::int64_t classes;

    [[nodiscard]] std::int64_t record_bytes() const { return label_bytes + kPictureBytes; }
};

constexpr Layout kCifar10{1, 10};
constexpr Layout kCifar100{2, 100};

[[noreturn]] void fail(const std::string& code,
                       const fs::path& path,
                       std::int64_t offset_bytes,
                       const std::string& what) {
    throw Error(code,
                "'" + path.filename().string() + "': " + what,
                path.string() + ", byte " + std::to_string(offset_bytes),
                "fetch the file again: the binary version of the data set is expected");
}

std::int64_t count_records(const fs::path& path, const Layout& layout) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (error) {
        throw_missing(path,
                      "check data.path: the binary version of the data set is expected there");
    }
    const auto size_bytes = static_cast<std::int64_t>(size);
    const std::int64_t rest = size_bytes % layout.record_bytes();
    if (rest != 0 || size_bytes == 0) {
        fail("data/truncated",
             path,
             size_bytes - rest,
             "the last record has " + std::to_string(rest) + " of " +
                 std::to_string(layout.record_bytes()) + " bytes");
    }
    return size_bytes / layout.record_bytes();
}

// Fills samples[first...] from one file.
void read_records(const fs::path& path,
                  const Layout& layout,
                  std::int64_t first,
                  std::int64_t count,
                  Samples& samples) {
    const std::string bytes = read_file(path);
    if (static_cast<std::int64_t>(bytes.size()) != count * layout.record_bytes()) {
        fail("data/truncated",
             path,
             static_cast<std::int64_t>(bytes.size()),
             "its size changed while it was read");
    }
    auto* picture = samples.images.mutable_data_ptr<std::uint8_t>() + first * kPictureBytes;
    auto* label = samples.labels.mutable_data_ptr<std::int64_t>() + first;
    const char* record = bytes.data();
    for (std::int64_t i = 0; i < count; ++i, record += layout.record_bytes()) {
        label[i] = static_cast<unsigned char>(record[layout.label_bytes - 1]);
        if (label[i] >= layout.classes) {
            fail("data/inconsistent",
                 path,
                 i * layout.record_bytes() + layout.label_bytes - 1,
                 "label " + std::to_string(label[i]) + " of a data set with " +
                     std::to_string(layout.classes) + " classes");
        }
        std::memcpy(picture + i * kPictureBytes, record + layout.label_bytes, kPictureBytes);
    }
}

Samples read_part(const fs::path& folder,
                  const std::vector<std::string>& names,
                  const Layout& layout) {
    std::vector<std::int64_t> counts;
    std::int64_t total = 0;
    for (const std::string& name : names) {
        counts.push_back(count_records(folder / name, layout));
        total += counts.back();
    }
    Samples samples{at::empty({total, 3, kSide, kSide}, at::kByte), at::empty({total}, at::kLong)};
    std::int64_t first = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        read_records(folder / names[i], layout, first, counts[i], samples);
        first += counts[i];
    }
    return samples;
}

// The archive unpacks into a folder of its own; both that folder and its parent may be named.
fs::path settle_folder(const fs::path& folder, const char* inner, const char* file) {
    std::error_code ignored;
    const bool is_outer =
        !fs::exists(folder / file, ignored) && fs::exists(folder / inner / file, ignored);
    return is_outer ? folder / inner : folder;
}

// One class name a line; numbers when the file is absent or does not fit.
std::vector<std::string> read_class_names(const fs::path& path, std::int64_t classes) {
    std::vector<std::string> names;
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) {
        std::istringstream lines(read_file(path, 1U << 20U));
        for (std::string line; std::getline(lines, line);) {
            line.erase(line.find_last_not_of(" \r\t") + 1);
            if (!line.empty()) {
                names.push_back(line);
            }
        }
    }
    if (static_cast<std::int64_t>(names.size()) != classes) {
        names.clear();
        for (std::int64_t i = 0; i < classes; ++i) {
            names.push_back(std::to_string(i));
        }
    }
    return names;
}

}  // namespace

Dataset load_cifar10(const fs::path& path) {
    const fs::path folder = settle_folder(path, "cifar-10-batches-bin", "test_batch.bin");
    Dataset dataset;
    dataset.classes = {
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
    dataset.train = read_part(folder,
                              {"data_batch_1.bin",
                               "data_batch_2.bin",
                               "data_batch_3.bin",
                               "data_batch_4.bin",
                               "data_batch_5.bin"},
                              kCifar10);
    dataset.test = read_part(folder, {"test_batch.bin"}, kCifar10);
    return dataset;
}

Dataset load_cifar100(const fs::path& path) {
    const fs::path folder = settle_folder(path, "cifar-100-binary", "test.bin");
    Dataset dataset;
    dataset.classes = read_class_names(folder / "fine_label_names.txt", kCifar100.classes);
    dataset.train = read_part(folder, {"train.bin"}, kCifar100);
    dataset.test = read_part(folder, {"test.bin"}, kCifar100);
    return dataset;
}

}  // namespace topress::data
