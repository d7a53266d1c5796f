// The folder and the file writers of scratch.hpp.
#include "unit/data/scratch.hpp"

#include <zlib.h>

// clang-format off: jpeglib.h uses FILE without including <cstdio>
#include <cstdio>
#include <jpeglib.h>
#include <png.h>
// clang-format on

#include <cstdlib>
#include <fstream>
#include <optional>

namespace topress::data::test {

namespace fs = std::filesystem;

Scratch::Scratch() {
    std::string name = (fs::temp_directory_path() / "topress-data-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
}

Scratch::~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void Scratch::write(const std::string& name, const std::string& bytes) const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(file.good());
}

void Scratch::write_gzip(const std::string& name, const std::string& bytes) const {
    gzFile file = gzopen((folder_ / name).c_str(), "wb");
    REQUIRE(file != nullptr);
    const int put = gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
    REQUIRE(put == static_cast<int>(bytes.size()));
}

std::string idx_bytes(std::uint32_t magic,
                      const std::vector<std::uint32_t>& dimensions,
                      const std::string& contents) {
    std::string bytes;
    const auto append = [&](std::uint32_t number) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xffU));
        }
    };
    append(magic);
    for (const std::uint32_t dimension : dimensions) {
        append(dimension);
    }
    return bytes + contents;
}

namespace {

std::vector<unsigned char> fill(int width, int height, const std::vector<int>& colour) {
    std::vector<unsigned char> pixels;
    for (int i = 0; i < width * height; ++i) {
        for (const int value : colour) {
            pixels.push_back(static_cast<unsigned char>(value));
        }
    }
    return pixels;
}

}  // namespace

std::string jpeg_bytes(int width, int height, int channels, const std::vector<int>& colour) {
    REQUIRE(static_cast<int>(colour.size()) == channels);
    std::vector<unsigned char> pixels = fill(width, height, colour);
    jpeg_compress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* memory = nullptr;
    unsigned long size_bytes = 0;
    jpeg_mem_dest(&info, &memory, &size_bytes);
    info.image_width = static_cast<JDIMENSION>(width);
    info.image_height = static_cast<JDIMENSION>(height);
    info.input_components = channels;
    info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 95, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        unsigned char* row = pixels.data() + std::size_t{info.next_scanline} * info.image_width *
                                                 static_cast<std::size_t>(channels);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    std::string bytes(reinterpret_cast<const char*>(memory), size_bytes);
    jpeg_destroy_compress(&info);
    std::free(memory);
    return bytes;
}

std::string png_bytes(int width, int height, int channels, const std::vector<int>& colour) {
    REQUIRE(static_cast<int>(colour.size()) == channels);
    const std::vector<unsigned char> pixels = fill(width, height, colour);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width);
    image.height = static_cast<png_uint_32>(height);
    image.format = channels == 1   ? PNG_FORMAT_GRAY
                   : channels == 3 ? PNG_FORMAT_RGB
                                   : PNG_FORMAT_RGBA;
    png_alloc_size_t size_bytes = 0;
    REQUIRE(png_image_write_to_memory(&image, nullptr, &size_bytes, 0, pixels.data(), 0, nullptr));
    std::string bytes(size_bytes, '\0');
    REQUIRE(
        png_image_write_to_memory(&image, bytes.data(), &size_bytes, 0, pixels.data(), 0, nullptr));
    bytes.resize(size_bytes);
    return bytes;
}

Error error_of(const std::function<void()>& action) {
    std::optional<Error> error;
    try {
        action();
    } catch (const Error& caught) {
        error = caught;
    }
    REQUIRE(error.has_value());
    return *error;
}

}  // namespace topress::data::test
