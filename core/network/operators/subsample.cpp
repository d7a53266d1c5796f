// Copies pixels, which are rows of channels, and puts their gradients back between zeros.
#include "network/operators/subsample.hpp"

#include "network/operators/check.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <vector>

#ifndef INTRA_OP_PARALLEL
#error "without OpenMP at::parallel_for is a loop on one thread: see core/network/CMakeLists.txt"
#endif

namespace topress::network {
namespace {

constexpr std::int64_t kLinesPerThread = 64;

/// Lines of pixels of a tensor (N, C, H, W) in channels-last memory; Byte: const where it is read.
template <class Byte>
struct Lines {
    Byte* first;
    std::int64_t height;
    std::int64_t width;
    std::size_t pixel;  // bytes

    Lines(Byte* data, const at::Tensor& x)
        : first(data),
          height(x.size(2)),
          width(x.size(3)),
          pixel(static_cast<std::size_t>(x.size(1)) * x.element_size()) {}

    [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(width) * pixel; }

    [[nodiscard]] Byte* line(std::int64_t picture, std::int64_t row) const {
        return first + static_cast<std::size_t>(picture * height + row) * bytes();
    }
};

Lines<const std::byte> lines_of(const at::Tensor& x) {
    return {static_cast<const std::byte*>(x.const_data_ptr()), x};
}

Lines<std::byte> lines_to_write(const at::Tensor& x) {
    return {static_cast<std::byte*>(x.mutable_data_ptr()), x};
}

at::Tensor like(const at::Tensor& x, at::IntArrayRef sizes) {
    return at::empty(sizes, x.options().memory_format(at::MemoryFormat::ChannelsLast));
}

at::Tensor keep(const at::Tensor& x, PixelStride stride) {
    const at::Tensor y = like(x,
                              {x.size(0),
                               x.size(1),
                               (x.size(2) + stride.rows - 1) / stride.rows,
                               (x.size(3) + stride.columns - 1) / stride.columns});
    const auto from = lines_of(x);
    const auto to = lines_to_write(y);
    const std::size_t step = from.pixel * static_cast<std::size_t>(stride.columns);
    at::parallel_for(
        0, x.size(0) * to.height, kLinesPerThread, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t line = begin; line < end; ++line) {
                const std::int64_t row = line % to.height;
                const std::byte* source = from.line(line / to.height, row * stride.rows);
                std::byte* target = to.line(line / to.height, row);
                for (std::int64_t column = 0; column < to.width; ++column) {
                    std::memcpy(target, source, from.pixel);
                    source += step;
                    target += from.pixel;
                }
            }
        });
    return y;
}

/// The gradient of what `sizes` was.
at::Tensor put_back(const at::Tensor& grad, at::IntArrayRef sizes, PixelStride stride) {
    const at::Tensor whole = like(grad, sizes);
    const auto from = lines_of(grad);
    const auto to = lines_to_write(whole);
    const std::size_t step = from.pixel * static_cast<std::size_t>(stride.columns);
    at::parallel_for(
        0, sizes[0] * to.height, kLinesPerThread, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t line = begin; line < end; ++line) {
                const std::int64_t row = line % to.height;
                std::byte* target = to.line(line / to.height, row);
                std::memset(target, 0, to.bytes());
                if (row % stride.rows != 0) {
                    continue;
                }
                const std::byte* source = from.line(line / to.height, row / stride.rows);
                for (std::int64_t column = 0; column < from.width; ++column) {
                    std::memcpy(target, source, from.pixel);
                    source += from.pixel;
                    target += step;
                }
            }
        });
    return whole;
}

/// [backward may run on an autograd thread]
class Subsample : public torch::autograd::Function<Subsample> {
  public:
    static at::Tensor forward(torch::autograd::AutogradContext* context,
                              const at::Tensor& x,
                              PixelStride stride) {
        context->saved_data["sizes"] = x.sizes().vec();
        context->saved_data["rows"] = stride.rows;
        context->saved_data["columns"] = stride.columns;
        return keep(x, stride);
    }

    static std::vector<at::Tensor> backward(torch::autograd::AutogradContext* context,
                                            const std::vector<at::Tensor>& grads) {
        if (!grads[0].defined()) {
            return {{}, {}};
        }
        const PixelStride stride{context->saved_data["rows"].toInt(),
                                 context->saved_data["columns"].toInt()};
        return {put_back(grads[0].contiguous(at::MemoryFormat::ChannelsLast),
                         context->saved_data["sizes"].toIntVector(),
                         stride),
                {}};
    }
};

}  // namespace

at::Tensor subsample(const at::Tensor& x, PixelStride stride) {
    if (!x.is_cpu() || !x.is_contiguous(at::MemoryFormat::ChannelsLast)) {
        return x.slice(2, 0, std::nullopt, stride.rows)
            .slice(3, 0, std::nullopt, stride.columns)
            .contiguous(x.suggest_memory_format());
    }
    return wants_gradients({x}) ? Subsample::apply(x, stride) : keep(x, stride);
}

}  // namespace topress::network
