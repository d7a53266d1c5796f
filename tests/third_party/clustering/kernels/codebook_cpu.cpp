// Codebooks on the CPU: plain loops, the reference of the kernels.
#include "kernels/codebook.hpp"

#include <topress/kernel/parallel.hpp>

#include <cmath>

namespace example::clustering {

void nearest_centroid_cpu(const float* values,
                          std::int64_t size,
                          const float* centroids,
                          std::int64_t count,
                          std::int64_t* indices) {
    require_codebook(values, indices, size, centroids, count);
    topress::kernel::for_each_item(size, size * count, [=](std::int64_t i) {
        std::int64_t best = 0;
        for (std::int64_t k = 1; k < count; ++k) {
            if (std::fabs(values[i] - centroids[k]) < std::fabs(values[i] - centroids[best])) {
                best = k;
            }
        }
        indices[i] = best;
    });
}

void cluster_sums_cpu(const float* values,
                      const std::int64_t* indices,
                      std::int64_t size,
                      std::int64_t count,
                      double* sums,
                      std::int64_t* counts) {
    require_codebook(values, indices, size, sums, count);
    for (std::int64_t k = 0; k < count; ++k) {
        sums[k] = 0;
        if (counts != nullptr) {
            counts[k] = 0;
        }
    }
    for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t k = indices[i];
        if (k < 0 || k >= count) {
            continue;
        }
        sums[k] += static_cast<double>(values[i]);
        if (counts != nullptr) {
            ++counts[k];
        }
    }
}

}  // namespace example::clustering
