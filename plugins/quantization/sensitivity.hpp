// Bits by measured sensitivity: every layer tried alone at several widths, the best mixture solved.
#pragma once

#include "insertion.hpp"

#include <topress/context.hpp>
#include <topress/model.hpp>

#include <vector>

namespace topress::quantization {

/// What a choice of bits is bound to.
struct MixtureLimits {
    int minimum_depthwise_bits = 2;
    int batches = 1;  ///< training batches that the loss is measured on
};

/// Changes the bits of the layers that are not fixed, so that all together cost at most the BitOps
/// that they cost as given. Layers that read the same value get the same bits. What a layer loses
/// at a width: the mean Kullback-Leibler divergence from the float network's answers with only that
/// layer quantized; losses are taken to add up. Solved exactly (allocation.hpp). Tried widths: the
/// given ones and up to two bits less and three bits more, between 2 and 8.
void choose_bits(std::vector<Layer>& layers,
                 const Model& model,
                 Context& context,
                 const MixtureLimits& limits);

}  // namespace topress::quantization
