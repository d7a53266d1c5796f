// Lists and reads files of pictures.
#include "data/picture_files.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <sys/stat.h>
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

/// What decoding them depends on, without reading them.
std::string key_of(const std::vector<fs::path>& paths, PictureSize size) {
    Hasher hasher;
    hasher.add("pictures 1").add(std::to_string(size.height)).add(std::to_string(size.width));
    for (const fs::path& path : paths) {
        struct stat facts{};
        ::stat(path.c_str(), &facts);  // a missing one is found when it is read
        hasher.add(fs::absolute(path).string())
            .add(std::to_string(facts.st_size))
            .add(std::to_string(facts.st_mtim.tv_sec))
            .add(std::to_string(facts.st_mtim.tv_nsec));
    }
    return hasher.hex();
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

at::Tensor read_pictures(const std::vector<fs::path>& paths,
                         PictureSize size,
                         const PictureStore& store) {
    const auto count = static_cast<std::int64_t>(paths.size());
    const std::int64_t bytes = 3 * size.height * size.width;
    const bool is_stored = store.takes(static_cast<std::uint64_t>(count * bytes));
    return stored_pictures(store,
                           is_stored ? key_of(paths, size) : std::string(),
                           {count, 3, size.height, size.width},
                           [&](std::uint8_t* planes) {
                               for (const fs::path& path : paths) {
                                   decode_picture(
                                       read_picture_file(path), path.string(), size, planes);
                                   planes += bytes;
                               }
                           });
}

}  // namespace topress::data
