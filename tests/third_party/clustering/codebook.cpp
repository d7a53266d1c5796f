// Tensors to kernels and back: the launchers on a CUDA device, the reference on the CPU.
#include "codebook.hpp"

#include "kernels/codebook.hpp"

#include <topress/stream.hpp>

#include <ATen/ATen.h>

#include <algorithm>

namespace example::clustering {
namespace {

at::Tensor plain(const at::Tensor& tensor) {
    return tensor.detach().to(at::kFloat).contiguous();
}

/// The tensor where a kernel of this build can work on it.
at::Tensor reachable(const at::Tensor& tensor) {
#if defined(TOPRESS_HAVE_CUDA)
    return tensor.is_cuda() ? tensor : tensor.cpu();
#else
    return tensor.cpu();
#endif
}

at::Tensor nearest(const at::Tensor& values, const at::Tensor& centroids) {
    const at::Tensor v = reachable(plain(values));
    const at::Tensor c = plain(centroids).to(v.device());
    at::Tensor indices = at::empty(v.sizes(), v.options().dtype(at::kLong));
    const auto* from = v.const_data_ptr<float>();
    const auto* to = c.const_data_ptr<float>();
    auto* out = indices.mutable_data_ptr<std::int64_t>();
#if defined(TOPRESS_HAVE_CUDA)
    if (v.is_cuda()) {
        launch_nearest_centroid(
            from, v.numel(), to, c.numel(), out, topress::current_stream(v.device()));
        return indices;
    }
#endif
    nearest_centroid_cpu(from, v.numel(), to, c.numel(), out);
    return indices.to(values.device());
}

struct Sums {
    at::Tensor sums;    // (k) double
    at::Tensor counts;  // (k) int64
};

Sums sum_up(const at::Tensor& values, const at::Tensor& indices, std::int64_t count) {
    const at::Tensor v = reachable(plain(values));
    const at::Tensor i = indices.contiguous().to(v.device());
    Sums result{at::empty({count}, v.options().dtype(at::kDouble)),
                at::empty({count}, v.options().dtype(at::kLong))};
    const auto* from = v.const_data_ptr<float>();
    const auto* of = i.const_data_ptr<std::int64_t>();
    auto* sums = result.sums.mutable_data_ptr<double>();
    auto* counts = result.counts.mutable_data_ptr<std::int64_t>();
#if defined(TOPRESS_HAVE_CUDA)
    if (v.is_cuda()) {
        launch_cluster_sums(
            from, of, v.numel(), count, sums, counts, topress::current_stream(v.device()));
        return result;
    }
#endif
    cluster_sums_cpu(from, of, v.numel(), count, sums, counts);
    return {result.sums.to(values.device()), result.counts.to(values.device())};
}

}  // namespace

Codebook cluster(const at::Tensor& weight, std::int64_t count, std::int64_t iterations) {
    const at::Tensor plain_weight = weight.detach().to(at::kFloat);
    at::Tensor values = at::linspace(plain_weight.min().item<double>(),
                                     plain_weight.max().item<double>(),
                                     count,
                                     plain_weight.options());
    at::Tensor indices = nearest(plain_weight, values);
    for (std::int64_t round = 0; round < iterations; ++round) {
        const Sums sums = sum_up(plain_weight, indices, count);
        const at::Tensor means = sums.sums / sums.counts.clamp_min(1);
        values = at::where(sums.counts > 0, means.to(at::kFloat), values);
        const at::Tensor now = nearest(plain_weight, values);
        const bool settled = at::equal(now, indices);
        indices = now;
        if (settled) {
            break;
        }
    }
    return {values, indices};
}

at::Tensor look_up(const at::Tensor& values, const at::Tensor& indices) {
    return values.index_select(0, indices.reshape({-1})).view(indices.sizes());
}

at::Tensor cluster_sums(const at::Tensor& values, const at::Tensor& indices, std::int64_t count) {
    return sum_up(values, indices, count).sums;
}

}  // namespace example::clustering
