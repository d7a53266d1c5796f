// Decoding of JPEG and PNG pictures into bytes: three planes R, G, B.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace topress::data {

/// Units: pixels.
struct PictureSize {
    std::int64_t height = 0;
    std::int64_t width = 0;

    bool operator==(const PictureSize&) const = default;
};

/// Size from the header of a JPEG or PNG file; what it is, is told by its contents, not its name.
/// `where` names the file in errors.
/// Throws: Error{data/bad-picture}.
[[nodiscard]] PictureSize read_picture_size(std::string_view bytes, const std::string& where);

/// Decodes into `planes`: grey is spread over the three channels, transparent parts become black.
/// Shape:    planes (3, height, width).
/// Throws:   Error{data/bad-picture}, {data/inconsistent} when its size is not `size`.
void decode_picture(std::string_view bytes,
                    const std::string& where,
                    PictureSize size,
                    std::uint8_t* planes);

}  // namespace topress::data
