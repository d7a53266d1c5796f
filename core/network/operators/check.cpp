// Messages, bounds and questions that operators share.
#include "network/operators/check.hpp"

#include "base/error.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace topress::network {

bool wants_gradients(const std::vector<at::Tensor>& inputs) {
    return at::GradMode::is_enabled() &&
           std::any_of(inputs.begin(), inputs.end(), [](const at::Tensor& input) {
               return input.requires_grad();
           });
}

std::string to_text(const Shape& shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    }
    return text + ")";
}

void throw_shape(const Node& node, const std::string& what) {
    throw Error("network/shape-mismatch", node.op + " '" + node.name + "': " + what, node.name);
}

void throw_attribute(const Node& node, const std::string& what) {
    throw Error("network/bad-attribute", node.op + " '" + node.name + "': " + what, node.name);
}

void require_rank(const Node& node, const char* input, const Shape& shape, std::size_t rank) {
    if (shape.size() != rank) {
        throw_shape(node,
                    std::string(input) + " has shape " + to_text(shape) + ", it needs " +
                        std::to_string(rank) + (rank == 1 ? " dimension" : " dimensions"));
    }
}

void require_vector(const Node& node, const char* input, const Shape& shape, std::int64_t size) {
    if (shape != Shape{size}) {
        throw_shape(node,
                    std::string(input) + " has shape " + to_text(shape) + ", it needs (" +
                        std::to_string(size) + ")");
    }
}

std::array<std::int64_t, 2> pair_attribute(const Node& node,
                                           const std::string& name,
                                           std::int64_t otherwise,
                                           std::int64_t low,
                                           std::int64_t high) {
    const auto found = ints_attribute(node, name, {otherwise, otherwise});
    if (found.size() != 2) {
        throw_attribute(node, "attribute '" + name + "' needs two values, for height and width");
    }
    for (const std::int64_t value : found) {
        if (value < low || value > high) {
            throw_attribute(node,
                            "attribute '" + name + "' is " + std::to_string(value) + ", outside " +
                                std::to_string(low) + " to " + std::to_string(high));
        }
    }
    return {found[0], found[1]};
}

Window pool_window(const Node& node) {
    Window window{};
    window.kernel = pair_attribute(node, "kernel", 2, 1, kMaximumWindow);
    window.stride = pair_attribute(node, "stride", 2, 1, kMaximumWindow);
    window.padding = pair_attribute(node, "padding", 0, 0, kMaximumWindow);
    window.dilation = {1, 1};
    for (std::size_t i = 0; i < 2; ++i) {
        if (2 * window.padding[i] > window.kernel[i]) {
            throw_attribute(node, "attribute 'padding' is more than half the kernel");
        }
    }
    return window;
}

Shape slide(const Node& node, const Shape& x, const Window& window, std::int64_t channels) {
    Shape result{channels, 0, 0};
    for (std::size_t i = 0; i < 2; ++i) {
        const std::int64_t reach = window.dilation[i] * (window.kernel[i] - 1) + 1;
        const std::int64_t room = x[i + 1] + 2 * window.padding[i] - reach;
        if (room < 0) {
            throw_shape(node,
                        "a window of " + std::to_string(reach) + " does not fit into input " +
                            to_text(x) + " with padding " + std::to_string(window.padding[i]));
        }
        result[i + 1] = room / window.stride[i] + 1;
    }
    return result;
}

}  // namespace topress::network
