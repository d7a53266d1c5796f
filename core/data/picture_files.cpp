// Lists and reads files of pictures.
#include "data/picture_files.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFileBytes = std::size_t{1} << 28;

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

std::string read_picture_file(const fs::path& path) {
    try {
        return read_file(path, kLargestFileBytes);
    } catch (const Error& error) {  // for one a link that leads nowhere
        throw Error("data/bad-picture", error.what(), path.string(), "replace or remove the file");
    }
}

}  // namespace

bool is_picture_name(const fs::path& path) {
    const std::string extension = lower_extension(path);
    return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator place(folder, error);
    if (error) {
        throw Error("data/not-found",
                    "cannot read the folder '" + folder.string() + "': " + error.message(),
                    folder.string(),
                    "pictures are expected in train/CLASS/ and test/CLASS/ of data.path, or beside "
                    "a targets.csv in train/ and test/");
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

PictureSize size_of_picture(const fs::path& path) {
    return read_picture_size(read_picture_file(path), path.string());
}

at::Tensor read_pictures(const std::vector<fs::path>& paths, PictureSize size) {
    const auto count = static_cast<std::int64_t>(paths.size());
    at::Tensor images = at::empty({count, 3, size.height, size.width}, at::kByte);
    auto* planes = images.mutable_data_ptr<std::uint8_t>();
    for (const fs::path& path : paths) {
        decode_picture(read_picture_file(path), path.string(), size, planes);
        planes += 3 * size.height * size.width;
    }
    return images;
}

}  // namespace topress::data
