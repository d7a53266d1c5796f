// Truncated SVD of layer weights, on plain tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace example::lowrank {

/// A matrix as the product of `mix` (rows, rank) and `basis` (rank, columns), of all ranks: cut it
/// with truncated(). Singular values descend.
struct Factors {
    at::Tensor mix;
    at::Tensor basis;
    at::Tensor singular_values;
};

/// The SVD of a matrix (rows, columns), in double on the CPU; each factor takes the square root of
/// the singular values, so that both train at the same scale.
Factors factorise(const at::Tensor& matrix);

/// The first `rank` components.
Factors truncated(const Factors& factors, std::int64_t rank);

/// The smallest rank that keeps this share of the squared singular values; at least 1.
std::int64_t rank_of_energy(const at::Tensor& singular_values, double energy_ratio);

}  // namespace example::lowrank
