// Truncated SVD. Source: Denton et al. 2014, arXiv 1404.0736; Jaderberg et al. 2014, arXiv
// 1405.3866.
#include "factorise.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace example::lowrank {

Factors factorise(const at::Tensor& matrix) {
    const auto [u, s, vh] =
        at::linalg_svd(matrix.detach().to(at::kCPU, at::kDouble), /*full_matrices=*/false);
    const at::Tensor root = s.sqrt();
    return {u * root, root.unsqueeze(1) * vh, s};
}

Factors truncated(const Factors& factors, std::int64_t rank) {
    return {factors.mix.narrow(1, 0, rank).contiguous(),
            factors.basis.narrow(0, 0, rank).contiguous(),
            factors.singular_values.narrow(0, 0, rank)};
}

std::int64_t rank_of_energy(const at::Tensor& singular_values, double energy_ratio) {
    const at::Tensor energy = singular_values.square().cumsum(0);
    const double wanted = energy_ratio * energy[-1].item<double>();
    // A share of all would miss the last component by rounding.
    const auto below = energy.lt(wanted * (1 - 1e-12)).sum().item<std::int64_t>();
    return std::clamp<std::int64_t>(below + 1, 1, singular_values.size(0));
}

}  // namespace example::lowrank
