// Every pixel of the target looks up where it was before.
#include "data/rotate.hpp"

#include <cmath>
#include <numbers>

namespace topress::data {

namespace {

// The value of a pixel, black outside.
double pixel_at(const std::uint8_t* source, PictureSize size, std::int64_t y, std::int64_t x) {
    const bool inside = y >= 0 && y < size.height && x >= 0 && x < size.width;
    return inside ? source[y * size.width + x] : 0;
}

double value_between(const std::uint8_t* source, PictureSize size, double y, double x) {
    const double top = std::floor(y);
    const double left = std::floor(x);
    const auto row = static_cast<std::int64_t>(top);
    const auto column = static_cast<std::int64_t>(left);
    const double down = y - top;
    const double right = x - left;
    const double above = (1 - right) * pixel_at(source, size, row, column) +
                         right * pixel_at(source, size, row, column + 1);
    const double below = (1 - right) * pixel_at(source, size, row + 1, column) +
                         right * pixel_at(source, size, row + 1, column + 1);
    return (1 - down) * above + down * below;
}

}  // namespace

void rotate_plane(const std::uint8_t* source,
                  PictureSize size,
                  double angle,
                  std::uint8_t* target) {
    const double radians = angle * std::numbers::pi / 180;
    const double sine = std::sin(radians);
    const double cosine = std::cos(radians);
    const double middle_y = static_cast<double>(size.height - 1) / 2;
    const double middle_x = static_cast<double>(size.width - 1) / 2;
    for (std::int64_t y = 0; y < size.height; ++y) {
        for (std::int64_t x = 0; x < size.width; ++x) {
            const double dy = static_cast<double>(y) - middle_y;
            const double dx = static_cast<double>(x) - middle_x;
            const double value = value_between(source,
                                               size,
                                               middle_y + cosine * dy + sine * dx,
                                               middle_x + cosine * dx - sine * dy);
            target[y * size.width + x] = static_cast<std::uint8_t>(std::lround(value));
        }
    }
}

}  // namespace topress::data
