// quantization.qat: learned step sizes for weights and activations, trained with the network.
#pragma once

#include <topress/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace topress::quantization {

/// Puts quantize nodes before the weights (signed, one scale per output channel) and the inputs
/// (one scale, signed only if negative values were seen) of every convolution and linear layer,
/// initialises the scales and trains. Throws: PluginError{UNSUPPORTED} when the network is
/// quantized already or has nothing to quantize. Source: Esser et al. 2020 (LSQ, arXiv 1902.08153);
/// initial scales by least squared error on weights and calibration batches
/// (the paper's 2 mean|v| / sqrt(Qp) starts far too coarse for a few epochs).
class Qat final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    /// A convolution or linear layer and the precision it is to get; 0 bits = left in float.
    struct Layer {
        std::string node;
        std::string input;
        std::string weight;
        int weight_bits = 0;
        int activation_bits = 0;
    };

    [[nodiscard]] std::vector<Layer> plan_layers(const Model& model) const;
    void quantize_weights(Model& model, const std::vector<Layer>& layers) const;
    void quantize_activations(Model& model,
                              Context& context,
                              const std::vector<Layer>& layers) const;
    void train(Model& model, Context& context) const;

    int weight_bits_ = 4;
    int activation_bits_ = 4;
    std::string first_last_;
    double epochs_ = 0;
    double learning_rate_ = 0;
    double scale_factor_ = 1;
    int calibration_batches_ = 1;
};

}  // namespace topress::quantization
