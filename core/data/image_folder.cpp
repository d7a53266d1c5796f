// Reads a folder of pictures, one sub-folder a class: sorted, so that every machine sees one order.
#include "base/error.hpp"
#include "data/formats.hpp"
#include "data/picture_files.hpp"

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

// A picture that is to be read, and its class.
struct Entry {
    fs::path path;
    std::int64_t label;
};

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

Samples read_entries(const std::vector<Entry>& entries,
                     PictureSize size,
                     const PictureStore& store) {
    std::vector<fs::path> paths;
    std::vector<std::int64_t> labels;
    for (const Entry& entry : entries) {
        paths.push_back(entry.path);
        labels.push_back(entry.label);
    }
    return {read_pictures(paths, size, store), at::tensor(labels, at::kLong)};
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

Dataset load_image_folder(const fs::path& folder, const PictureStore& store) {
    std::error_code ignored;
    if (fs::is_regular_file(folder / "train" / kTargetFile, ignored)) {
        return load_target_folder(folder, store);
    }
    Dataset dataset;
    dataset.classes = classes_in(folder / "train");
    check_same_classes(folder, dataset.classes, classes_in(folder / "test"));
    const std::vector<Entry> train = list_entries(folder / "train", dataset.classes);
    const std::vector<Entry> test = list_entries(folder / "test", dataset.classes);
    const PictureSize size = size_of_picture(train.front().path);
    dataset.train = read_entries(train, size, store);
    dataset.test = read_entries(test, size, store);
    return dataset;
}

}  // namespace topress::data
