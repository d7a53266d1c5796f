// quantization.qat: learned step sizes for weights and activations, trained with the network.
#pragma once

#include "insertion.hpp"
#include "layer_bits.hpp"

#include <topress/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace topress::quantization {

/// Quantizes the weights and the inputs of every convolution and linear layer (insertion.hpp), with
/// the same bits everywhere, by name (layer_bits.hpp) or by measured sensitivity (sensitivity.hpp),
/// and trains, on request with falling bits. Throws: PluginError{UNSUPPORTED} when the network is
/// quantized already or has nothing to quantize, {INVALID_ARGUMENT} for parameters that contradict
/// each other or the network. Source: Esser et al. 2020 (LSQ, arXiv 1902.08153); initial scales by
/// least squared error on weights and calibration batches (the paper's 2 mean|v| / sqrt(Qp) starts
/// far too coarse for a few epochs).
class Qat final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    [[nodiscard]] std::vector<Layer> plan_layers(const Model& model) const;
    void name_bits(Layer& layer) const;
    [[nodiscard]] double bitops_limit(Context& context) const;
    void train(Model& model, Context& context, double epochs, const char* phase) const;

    int weight_bits_ = 4;
    int activation_bits_ = 4;
    bool is_per_channel_ = true;
    std::string first_last_;
    double epochs_ = 0;
    double learning_rate_ = 0;
    double scale_factor_ = 1;
    double original_weight_ = 0;
    bool is_mixed_ = false;
    double bitops_cr_ = 0;
    std::vector<LayerBits> layer_bits_;
    std::vector<int> passed_bits_;  ///< before the wanted ones, falling
    int minimum_depthwise_bits_ = 2;
    int calibration_batches_ = 1;
};

}  // namespace topress::quantization
