// Codebooks: the nearest value of each element, and sums over the elements of each value.
#pragma once

#include <topress/kernel/arguments.hpp>

#include <cstdint>

namespace example::clustering {

constexpr std::int64_t kMaximumCentroids = 1024;

/// indices[i] = the k with the smallest |values[i] - centroids[k]|, the lowest k where several are.
/// Shape:    values (size), centroids (count), 1 <= count <= kMaximumCentroids, indices (size).
/// Numbers:  a value that is NaN gets 0; centroids must be finite.
/// Throws:   std::invalid_argument for null pointers and bad sizes.
/// Cost:     12 bytes and `count` subtractions per element.
void nearest_centroid_cpu(const float* values,
                          std::int64_t size,
                          const float* centroids,
                          std::int64_t count,
                          std::int64_t* indices);

/// sums[k] = sum of values[i] with indices[i] == k, and counts[k] = how many there are.
/// Shape:    values and indices (size), sums and counts (count). Indices outside of 0 .. count - 1
/// count nowhere. counts may be null.
/// Result:   in double, in an order that depends on the sizes alone: the same bits each time.
/// Throws:   std::invalid_argument for null pointers and bad sizes.
/// Cost:     12 bytes per element on the CPU; `count` times that on the device, from its cache.
void cluster_sums_cpu(const float* values,
                      const std::int64_t* indices,
                      std::int64_t size,
                      std::int64_t count,
                      double* sums,
                      std::int64_t* counts);

/// The same on the device; all pointers in device memory, `stream` a cudaStream_t. The order of
/// cluster sums differs from the CPU's, each device repeats its own. Also throw std::runtime_error
/// when the launch fails.
void launch_nearest_centroid(const float* values,
                             std::int64_t size,
                             const float* centroids,
                             std::int64_t count,
                             std::int64_t* indices,
                             void* stream);
void launch_cluster_sums(const float* values,
                         const std::int64_t* indices,
                         std::int64_t size,
                         std::int64_t count,
                         double* sums,
                         std::int64_t* counts,
                         void* stream);

/// The argument checks of both.
inline void require_codebook(const void* values,
                             const void* indices,
                             std::int64_t size,
                             const void* per_centroid,
                             std::int64_t count) {
    using topress::kernel::require;
    require(size >= 0, "codebook: the size is negative");
    require(count >= 1 && count <= kMaximumCentroids, "codebook: 1 to 1024 centroids are possible");
    require(per_centroid != nullptr, "codebook: the centroids or their sums are null");
    require(size == 0 || (values != nullptr && indices != nullptr),
            "codebook: values or indices are null");
}

}  // namespace example::clustering
