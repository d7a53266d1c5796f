// Turns a picture about its middle.
#pragma once

#include "data/picture.hpp"

#include <cstdint>

namespace topress::data {

/// Counter-clockwise as seen (rows run downwards), between pixels bilinear; what comes from outside
/// is black.
/// Shape:    source, target (height, width), not the same memory.
/// Units:    degrees.
void rotate_plane(const std::uint8_t* source, PictureSize size, double angle, std::uint8_t* target);

}  // namespace topress::data
