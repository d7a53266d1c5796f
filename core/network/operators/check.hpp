// What operators share: messages that quote shapes, attributes with bounds, who wants gradients.
#pragma once

#include "network/operators.hpp"

#include <array>
#include <string>
#include <vector>

namespace topress::network {

/// Whether autograd would record an operator on these tensors.
[[nodiscard]] bool wants_gradients(const std::vector<at::Tensor>& inputs);

/// "(3, 32, 32)".
[[nodiscard]] std::string to_text(const Shape& shape);

/// Throws Error{network/shape-mismatch} "relu 'stage1.relu': `what`" at the node.
[[noreturn]] void throw_shape(const Node& node, const std::string& what);

/// Throws Error{network/bad-attribute} at the node.
[[noreturn]] void throw_attribute(const Node& node, const std::string& what);

/// Throws network/shape-mismatch unless the shape has this many dimensions.
void require_rank(const Node& node, const char* input, const Shape& shape, std::size_t rank);

/// Throws network/shape-mismatch unless the shape is (size).
void require_vector(const Node& node, const char* input, const Shape& shape, std::int64_t size);

/// A list of two integers within [low, high]; `otherwise` for both when absent.
[[nodiscard]] std::array<std::int64_t, 2> pair_attribute(const Node& node,
                                                         const std::string& name,
                                                         std::int64_t otherwise,
                                                         std::int64_t low,
                                                         std::int64_t high);

/// Kernel, stride, padding and dilation within sane bounds.
struct Window {
    std::array<std::int64_t, 2> kernel;
    std::array<std::int64_t, 2> stride;
    std::array<std::int64_t, 2> padding;
    std::array<std::int64_t, 2> dilation;
};

/// The window of a pool node (dilation 1), checked: padding at most half the kernel.
[[nodiscard]] Window pool_window(const Node& node);

/// Bounds that no sensible window exceeds; they keep shape arithmetic far from overflow.
inline constexpr std::int64_t kMaximumWindow = 4096;

/// (channels, H', W') of a window slid over x (C, H, W); throws network/shape-mismatch when it
/// does not fit.
[[nodiscard]] Shape slide(const Node& node,
                          const Shape& x,
                          const Window& window,
                          std::int64_t channels);

}  // namespace topress::network
