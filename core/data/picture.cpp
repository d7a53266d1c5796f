// JPEG through libjpeg-turbo (errors by longjmp, kept inside this file) and PNG through libpng.
#include "data/picture.hpp"

#include "base/error.hpp"

// clang-format off: jpeglib.h uses FILE without including <cstdio>, jerror.h uses jpeglib.h
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
#include <png.h>
// clang-format on

#include <array>
#include <csetjmp>
#include <vector>

namespace topress::data {

namespace {

constexpr std::int64_t kLargestSide = 1 << 14;

[[noreturn]] void fail_bad(const std::string& where, const std::string& why) {
    throw Error("data/bad-picture",
                "'" + where + "' is no usable picture: " + why,
                where,
                "replace or remove the file; JPEG and PNG are read");
}

bool is_jpeg(std::string_view bytes) {
    return bytes.substr(0, 3) == "\xff\xd8\xff";
}

bool is_png(std::string_view bytes) {
    return bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n";
}

// libjpeg reports errors through C callbacks that must not return. Throwing through C frames is
// undefined, so they jump back to the wrapper below, which holds nothing that needs a destructor.
struct JpegFailure {
    jpeg_error_mgr base;
    std::jmp_buf back;
    std::array<char, JMSG_LENGTH_MAX> message;
};

void on_jpeg_error(j_common_ptr info) {
    auto* failure = reinterpret_cast<JpegFailure*>(info->err);
    info->err->format_message(info, failure->message.data());
    std::longjmp(failure->back, 1);
}

// Data that ends early or is cut by a marker decodes to grey with only a warning: an error for us.
void on_jpeg_message(j_common_ptr info, int level) {
    const int code = info->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) {
        on_jpeg_error(info);
    }
}

// Reads the header into *size and, when `pixels` is given, all rows (RGB interleaved) into it.
// False: failure->message says why. No C++ object may live in this frame.
bool run_jpeg(const unsigned char* bytes,
              std::size_t size_bytes,
              PictureSize* size,
              unsigned char* pixels,
              JpegFailure* failure) {
    jpeg_decompress_struct info{};
    info.err = jpeg_std_error(&failure->base);
    failure->base.error_exit = on_jpeg_error;
    failure->base.emit_message = on_jpeg_message;
    if (setjmp(failure->back) != 0) {
        jpeg_destroy_decompress(&info);
        return false;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, static_cast<unsigned long>(size_bytes));
    jpeg_read_header(&info, TRUE);
    size->height = info.image_height;
    size->width = info.image_width;
    if (pixels != nullptr) {
        info.out_color_space = JCS_RGB;
        info.dct_method = JDCT_ISLOW;  // exact on every platform
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
            unsigned char* row = pixels + std::size_t{info.output_scanline} * info.output_width * 3;
            jpeg_read_scanlines(&info, &row, 1);
        }
        jpeg_finish_decompress(&info);
    }
    jpeg_destroy_decompress(&info);
    return true;
}

PictureSize jpeg(std::string_view bytes, const std::string& where, unsigned char* pixels) {
    JpegFailure failure{};
    PictureSize size;
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    if (!run_jpeg(data, bytes.size(), &size, pixels, &failure)) {
        fail_bad(where, failure.message.data());
    }
    return size;
}

// libpng's simplified interface catches its own errors; this frees what it holds.
class PngImage {
  public:
    PngImage(std::string_view bytes, const std::string& where) {
        image_.version = PNG_IMAGE_VERSION;
        if (png_image_begin_read_from_memory(&image_, bytes.data(), bytes.size()) == 0) {
            fail_bad(where, image_.message);
        }
    }

    PngImage(const PngImage&) = delete;
    PngImage& operator=(const PngImage&) = delete;
    PngImage(PngImage&&) = delete;
    PngImage& operator=(PngImage&&) = delete;

    ~PngImage() { png_image_free(&image_); }

    [[nodiscard]] PictureSize size() const { return {image_.height, image_.width}; }

    void read(const std::string& where, unsigned char* pixels) {
        constexpr png_color kBlack{};
        image_.format = PNG_FORMAT_RGB;
        if (png_image_finish_read(&image_, &kBlack, pixels, 0, nullptr) == 0) {
            fail_bad(where, image_.message);
        }
    }

  private:
    png_image image_{};
};

void split_planes(const std::vector<unsigned char>& pixels, std::uint8_t* planes) {
    const std::size_t area = pixels.size() / 3;
    for (std::size_t i = 0; i < area; ++i) {
        planes[i] = pixels[3 * i];
        planes[area + i] = pixels[3 * i + 1];
        planes[2 * area + i] = pixels[3 * i + 2];
    }
}

std::string text_of(PictureSize size) {
    return std::to_string(size.width) + " x " + std::to_string(size.height);
}

}  // namespace

PictureSize read_picture_size(std::string_view bytes, const std::string& where) {
    PictureSize size;
    if (is_jpeg(bytes)) {
        size = jpeg(bytes, where, nullptr);
    } else if (is_png(bytes)) {
        size = PngImage(bytes, where).size();
    } else {
        fail_bad(where, "it is neither JPEG nor PNG");
    }
    if (size.height > kLargestSide || size.width > kLargestSide) {
        fail_bad(where, "it has " + text_of(size) + " pixels");
    }
    return size;
}

void decode_picture(std::string_view bytes,
                    const std::string& where,
                    PictureSize size,
                    std::uint8_t* planes) {
    const PictureSize actual = read_picture_size(bytes, where);
    if (actual != size) {
        throw Error("data/inconsistent",
                    "'" + where + "' has " + text_of(actual) + " pixels, the first picture has " +
                        text_of(size),
                    where,
                    "scale all pictures of the folder to one size");
    }
    std::vector<unsigned char> pixels(static_cast<std::size_t>(size.height * size.width) * 3);
    if (is_jpeg(bytes)) {
        jpeg(bytes, where, pixels.data());
    } else {
        PngImage(bytes, where).read(where, pixels.data());
    }
    split_planes(pixels, planes);
}

}  // namespace topress::data
