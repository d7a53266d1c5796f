// Codebooks of tensors: k-means on the weights of a layer, and sums by cluster, on any device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace example::clustering {

/// What the weights of a layer share. Shape: values (k) float, ascending; indices as the weight,
/// int64: weight is about values[indices].
struct Codebook {
    at::Tensor values;
    at::Tensor indices;
};

/// Lloyd's algorithm from values that are spread evenly over the range of the weight, at most
/// `iterations` rounds. A value that no weight is nearest to stays where it is.
/// Source: Han et al. 2016, arXiv 1510.00149, section 3.2: linear initialisation serves best.
Codebook cluster(const at::Tensor& weight, std::int64_t count, std::int64_t iterations);

/// values[indices], in the shape of the indices.
at::Tensor look_up(const at::Tensor& values, const at::Tensor& indices);

/// Sum of the elements of each cluster. Shape: values and indices alike -> (count) double.
at::Tensor cluster_sums(const at::Tensor& values, const at::Tensor& indices, std::int64_t count);

}  // namespace example::clustering
