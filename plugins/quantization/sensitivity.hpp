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
    double bitops = 0;  ///< of the whole network; 0: as many as the given bits cost
    int batches = 1;    ///< training batches that the loss is measured on
};

/// Changes the bits of the layers that are not fixed, so that the network costs at most the BitOps
/// of the limit. Layers that read the same value get the same bits. What a layer loses at a width:
/// the mean Kullback-Leibler divergence from the float network's answers with only that layer
/// quantized; losses are taken to add up. Solved exactly (allocation.hpp). Tried widths: the given
/// ones and up to two bits less and three bits more, between 2 and 8, and 1 for weights where that
/// is what is given. Throws: PluginError{INVALID_ARGUMENT} when even the fewest cost more.
void choose_bits(std::vector<Layer>& layers,
                 const Model& model,
                 Context& context,
                 const MixtureLimits& limits);

}  // namespace topress::quantization
