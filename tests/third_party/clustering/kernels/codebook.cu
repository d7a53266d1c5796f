// Codebooks on the device.
//
// Mapping: nearest centroid: a thread per element, the centroids in shared memory. Cluster sums: a
//          block per centroid, whose 256 threads stride over all elements and fold in a fixed tree:
//          no atomics, so the same bits each time.
// Bytes:   12 per element and launch for the first, 12 per element and centroid (cached) for the
//          second.
#include "kernels/codebook.hpp"

#include <topress/kernel/launch.cuh>

namespace example::clustering {
namespace {

constexpr int kThreads = 256;

__global__ void nearest_centroid_kernel(const float* values,
                                        std::int64_t size,
                                        const float* centroids,
                                        std::int64_t count,
                                        std::int64_t* indices) {
    TOPRESS_DYNAMIC_SHARED(float, shared);
    for (std::int64_t k = threadIdx.x; k < count; k += blockDim.x) {
        shared[k] = centroids[k];
    }
    __syncthreads();
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= size) {
        return;
    }
    const float value = values[i];
    std::int64_t best = 0;
    float least = fabsf(value - shared[0]);
    for (std::int64_t k = 1; k < count; ++k) {
        const float distance = fabsf(value - shared[k]);
        if (distance < least) {
            least = distance;
            best = k;
        }
    }
    indices[i] = best;
}

__global__ void cluster_sums_kernel(const float* values,
                                    const std::int64_t* indices,
                                    std::int64_t size,
                                    double* sums,
                                    std::int64_t* counts) {
    __shared__ double partial_sums[kThreads];
    __shared__ std::int64_t partial_counts[kThreads];
    const std::int64_t k = blockIdx.x;
    double sum = 0;
    std::int64_t number = 0;
    for (std::int64_t i = threadIdx.x; i < size; i += kThreads) {
        if (indices[i] == k) {
            sum += static_cast<double>(values[i]);
            ++number;
        }
    }
    partial_sums[threadIdx.x] = sum;
    partial_counts[threadIdx.x] = number;
    for (unsigned half = kThreads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            partial_sums[threadIdx.x] += partial_sums[threadIdx.x + half];
            partial_counts[threadIdx.x] += partial_counts[threadIdx.x + half];
        }
    }
    if (threadIdx.x == 0) {
        sums[k] = partial_sums[0];
        if (counts != nullptr) {
            counts[k] = partial_counts[0];
        }
    }
}

}  // namespace

void launch_nearest_centroid(const float* values,
                             std::int64_t size,
                             const float* centroids,
                             std::int64_t count,
                             std::int64_t* indices,
                             void* stream) {
    require_codebook(values, indices, size, centroids, count);
    if (size > 0) {
        TOPRESS_LAUNCH(nearest_centroid_kernel,
                       topress::kernel::grid_blocks(size, kThreads),
                       kThreads,
                       static_cast<std::size_t>(count) * sizeof(float),
                       stream,
                       values,
                       size,
                       centroids,
                       count,
                       indices);
    }
}

void launch_cluster_sums(const float* values,
                         const std::int64_t* indices,
                         std::int64_t size,
                         std::int64_t count,
                         double* sums,
                         std::int64_t* counts,
                         void* stream) {
    require_codebook(values, indices, size, sums, count);
    TOPRESS_LAUNCH(cluster_sums_kernel,
                   topress::kernel::grid_blocks(count, 1),
                   kThreads,
                   0,
                   stream,
                   values,
                   indices,
                   size,
                   sums,
                   counts);
}

}  // namespace example::clustering
