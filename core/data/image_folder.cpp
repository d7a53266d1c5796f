// Reads a folder of pictures, one sub-folder a class: sorted, so that every machine sees one order.
#include "base/error.hpp"
#include "base/files.hpp"
#include "data/formats.hpp"
#include "data/picture.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFileBytes = std::size_t{1} << 28;

// A picture that is to be read, and its class.
struct Entry {
    fs::path path;
    std::int64_t label;
};

// Lower case of ASCII letters only: what the locale says does not matter.
std::string lower_extension(const fs::path& path) {
    std::string text = path.extension().string();
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c - 'A' + 'a');
        }
    }
    return text;
}

bool is_picture_name(const fs::path& path) {
    const std::string extension = lower_extension(path);
    return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

// Names in a folder, byte by byte sorted, without the hidden ones.
std::vector<std::string> names_in(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator place(folder, error);
    if (error) {
        throw Error("data/not-found",
                    "cannot read the folder '" + folder.string() + "': " + error.message(),
                    folder.string(),
                    "pictures are expected in train/CLASS/ and test/CLASS/ of data.path");
    }
    std::vector<std::string> names;
    for (; place != fs::directory_iterator(); place.increment(error)) {
        std::string name = place->path().filename().string();
        if (!name.empty() && name.front() != '.') {
            names.push_back(std::move(name));
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> classes_in(const fs::path& folder) {
    std::vector<std::string> classes;
    for (std::string& name : names_in(folder)) {
        std::error_code ignored;
        if (fs::is_directory(folder / name, ignored)) {  // follows links
            classes.push_back(std::move(name));
        }
    }
    if (classes.empty()) {
        throw Error("data/inconsistent",
                    "no class in '" + folder.string() + "'",
                    folder.string(),
                    "make one sub-folder for each class");
    }
    return classes;
}

std::vector<Entry> list_entries(const fs::path& folder, const std::vector<std::string>& classes) {
    std::vector<Entry> entries;
    for (std::size_t label = 0; label < classes.size(); ++label) {
        const std::size_t before = entries.size();
        const fs::path place = folder / classes[label];
        for (const std::string& name : names_in(place)) {
            if (is_picture_name(name)) {
                entries.push_back({place / name, static_cast<std::int64_t>(label)});
            }
        }
        if (entries.size() == before) {
            throw Error("data/inconsistent",
                        "no picture in '" + place.string() + "'",
                        place.string(),
                        "add .jpg, .jpeg or .png files, or remove the folder");
        }
    }
    return entries;
}

std::string read_picture_file(const fs::path& path) {
    try {
        return read_file(path, kLargestFileBytes);
    } catch (const Error& error) {  // for one a link that leads nowhere
        throw Error("data/bad-picture", error.what(), path.string(), "replace or remove the file");
    }
}

Samples read_entries(const std::vector<Entry>& entries, PictureSize size) {
    const auto count = static_cast<std::int64_t>(entries.size());
    Samples samples{at::empty({count, 3, size.height, size.width}, at::kByte),
                    at::empty({count}, at::kLong)};
    auto* planes = samples.images.mutable_data_ptr<std::uint8_t>();
    auto* labels = samples.labels.mutable_data_ptr<std::int64_t>();
    for (const Entry& entry : entries) {
        decode_picture(read_picture_file(entry.path), entry.path.string(), size, planes);
        planes += 3 * size.height * size.width;
        *labels++ = entry.label;
    }
    return samples;
}

// Both parts must have the same classes, or labels would mean different things.
void check_same_classes(const fs::path& folder,
                        const std::vector<std::string>& train,
                        const std::vector<std::string>& test) {
    std::vector<std::string> different;
    std::set_symmetric_difference(
        train.begin(), train.end(), test.begin(), test.end(), std::back_inserter(different));
    if (!different.empty()) {
        const std::string& name = different.front();
        const bool in_train = std::binary_search(train.begin(), train.end(), name);
        throw Error("data/inconsistent",
                    "class '" + name + "' is only in '" + (in_train ? "train" : "test") + "'",
                    (folder / (in_train ? "train" : "test") / name).string(),
                    "give train and test the same sub-folders");
    }
}

}  // namespace

Dataset load_image_folder(const fs::path& folder) {
    Dataset dataset;
    dataset.classes = classes_in(folder / "train");
    check_same_classes(folder, dataset.classes, classes_in(folder / "test"));
    const std::vector<Entry> train = list_entries(folder / "train", dataset.classes);
    const std::vector<Entry> test = list_entries(folder / "test", dataset.classes);
    const fs::path& first = train.front().path;
    const PictureSize size = read_picture_size(read_picture_file(first), first.string());
    dataset.train = read_entries(train, size);
    dataset.test = read_entries(test, size);
    return dataset;
}

}  // namespace topress::data
