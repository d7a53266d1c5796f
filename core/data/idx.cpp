// Reads idx files (MNIST, Fashion-MNIST), plain or compressed, straight into tensors.
#include "base/error.hpp"
#include "data/formats.hpp"

#include <ATen/ATen.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kImageMagic = 0x00000803;  // unsigned bytes, three dimensions
constexpr std::uint32_t kLabelMagic = 0x00000801;  // unsigned bytes, one dimension
// A header is believed up to this size; more is a damaged file, not a data set of small pictures.
constexpr std::int64_t kLargestBytes = std::int64_t{1} << 34;

// One file being read from front to back. zlib passes uncompressed files through unchanged.
class IdxFile {
  public:
    explicit IdxFile(fs::path path) : path_(std::move(path)), file_(gzopen(path_.c_str(), "rb")) {
        if (!file_) {
            throw Error("data/not-found",
                        "cannot open '" + path_.string() + "'",
                        path_.string(),
                        "check that the file may be read");
        }
        gzbuffer(file_.get(), 1U << 17U);
    }

    void read(void* target, std::int64_t size_bytes) {
        auto* bytes = static_cast<unsigned char*>(target);
        for (std::int64_t left = size_bytes; left > 0;) {
            const auto part = static_cast<unsigned>(std::min<std::int64_t>(left, 1 << 24));
            const int got = gzread(file_.get(), bytes, part);
            if (got <= 0) {
                fail_short(left);
            }
            bytes += got;
            left -= got;
        }
    }

    std::uint32_t read_number() {
        std::array<unsigned char, 4> bytes{};
        read(bytes.data(), 4);
        return (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) |
               (std::uint32_t{bytes[2]} << 8U) | std::uint32_t{bytes[3]};
    }

    // The end must come now; reaching it is also what makes zlib check the sum of the contents.
    void expect_end() {
        unsigned char more = 0;
        const int got = gzread(file_.get(), &more, 1);
        if (got < 0) {
            fail_short(0);
        }
        if (got > 0) {
            fail("data/inconsistent", "more data than its header announces", offset() - 1);
        }
    }

    [[nodiscard]] std::int64_t offset() const { return gztell(file_.get()); }

    [[noreturn]] void fail(const std::string& code,
                           const std::string& what,
                           std::int64_t offset_bytes) const {
        throw Error(code,
                    "'" + path_.filename().string() + "': " + what,
                    path_.string() + ", byte " + std::to_string(offset_bytes) +
                        (gzdirect(file_.get()) != 0 ? "" : " of the uncompressed data"),
                    "fetch the file again; an idx file is expected, plain or gzip");
    }

  private:
    struct Closer {
        void operator()(gzFile file) const { gzclose(file); }
    };

    [[noreturn]] void fail_short(std::int64_t missing_bytes) const {
        int status = Z_OK;
        const std::string reason = gzerror(file_.get(), &status);
        if (status == Z_DATA_ERROR) {
            fail("data/inconsistent", "damaged gzip data", offset());
        }
        if (status == Z_ERRNO) {
            fail("data/truncated", "cannot be read: " + reason, offset());
        }
        fail("data/truncated",
             "the file ends " + std::to_string(missing_bytes) + " bytes early",
             offset());
    }

    fs::path path_;
    std::unique_ptr<gzFile_s, Closer> file_;
};

// "train-images" is called train-images-idx3-ubyte or train-images.idx3-ubyte, with .gz or without.
fs::path find_idx(const fs::path& folder, const std::string& stem, int dimensions) {
    const std::string ending = "idx" + std::to_string(dimensions) + "-ubyte";
    for (const char* joint : {"-", "."}) {
        for (const char* suffix : {"", ".gz"}) {
            fs::path path = folder / (stem + joint + ending + suffix);
            std::error_code ignored;
            if (fs::is_regular_file(path, ignored)) {
                return path;
            }
        }
    }
    throw Error("data/not-found",
                "no file '" + stem + "-" + ending + "' or '" + stem + "-" + ending + ".gz' in '" +
                    folder.string() + "'",
                folder.string(),
                "check data.path: four idx files are expected there");
}

void expect_magic(IdxFile& file, std::uint32_t expected) {
    const std::uint32_t magic = file.read_number();
    if (magic != expected) {
        std::array<char, 64> text{};
        std::snprintf(
            text.data(), text.size(), "begins with 0x%08x, expected 0x%08x", magic, expected);
        file.fail("data/bad-magic", text.data(), 0);
    }
}

at::Tensor read_images(const fs::path& path) {
    IdxFile file(path);
    expect_magic(file, kImageMagic);
    const std::int64_t count = file.read_number();
    const std::int64_t height = file.read_number();
    const std::int64_t width = file.read_number();
    if (height == 0 || width == 0 || height > 65536 || width > 65536 ||
        count > kLargestBytes / (height * width)) {
        file.fail("data/inconsistent",
                  "its header announces " + std::to_string(count) + " pictures of " +
                      std::to_string(height) + " x " + std::to_string(width) + " pixels",
                  4);
    }
    at::Tensor images = at::empty({count, 1, height, width}, at::kByte);
    file.read(images.data_ptr(), images.numel());
    file.expect_end();
    return images;
}

at::Tensor read_labels(const fs::path& path, std::int64_t classes) {
    IdxFile file(path);
    expect_magic(file, kLabelMagic);
    const std::int64_t count = file.read_number();
    at::Tensor bytes = at::empty({count}, at::kByte);
    file.read(bytes.data_ptr(), count);
    file.expect_end();
    const auto* values = bytes.const_data_ptr<std::uint8_t>();
    const auto* wrong =
        std::find_if(values, values + count, [&](std::uint8_t v) { return v >= classes; });
    if (wrong != values + count) {
        file.fail("data/inconsistent",
                  "label " + std::to_string(*wrong) + " of a data set with " +
                      std::to_string(classes) + " classes",
                  8 + (wrong - values));
    }
    return bytes.to(at::kLong);
}

Samples read_part(const fs::path& folder, const std::string& stem, std::int64_t classes) {
    const fs::path images = find_idx(folder, stem + "-images", 3);
    const fs::path labels = find_idx(folder, stem + "-labels", 1);
    Samples samples{read_images(images), read_labels(labels, classes)};
    if (samples.images.size(0) != samples.labels.size(0)) {
        throw Error("data/inconsistent",
                    std::to_string(samples.images.size(0)) + " pictures in '" +
                        images.filename().string() + "', but " +
                        std::to_string(samples.labels.size(0)) + " labels in '" +
                        labels.filename().string() + "'",
                    images.string() + ", byte 4",
                    "fetch both files again, from one place");
    }
    return samples;
}

}  // namespace

Dataset load_idx_folder(const fs::path& folder, std::vector<std::string> classes) {
    const auto count = static_cast<std::int64_t>(classes.size());
    Dataset dataset;
    dataset.train = read_part(folder, "train", count);
    dataset.test = read_part(folder, "t10k", count);
    dataset.classes = std::move(classes);
    if (dataset.train.images.sizes().slice(1) != dataset.test.images.sizes().slice(1)) {
        throw Error("data/inconsistent",
                    "training and test pictures differ in size",
                    folder.string(),
                    "fetch all four files again, from one place");
    }
    return dataset;
}

}  // namespace topress::data
