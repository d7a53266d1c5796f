// What a new student keeps of the network it replaces: relative widths, weights, bits, exits.
#pragma once

#include <topress/context.hpp>
#include <topress/model.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace topress::distillation {

/// How a convolution or linear layer is quantized; 0 bits = float.
struct LayerBits {
    int weight = 0;
    int activation = 0;
    bool activation_signed = false;
    bool is_weight_per_channel = true;  ///< one scale per output channel; else one in all

    auto operator<=>(const LayerBits&) const = default;
};

/// One node of a head, in execution order.
struct HeadNode {
    NodeView node;
    Attributes attributes;
};

/// An exit and the way to rebuild its head on another body.
struct CarriedExit {
    Exit exit;
    double macs_share = 0;      ///< of the main path, before the head branches off
    std::string branch;         ///< value that the head reads
    std::int64_t channels = 0;  ///< of that value
    std::vector<HeadNode> head;
    std::map<std::string, std::pair<std::string, at::Tensor>> parameters;  ///< name -> role, tensor
};

/// Read from the network that the student replaces, which must outlive this; layers and channel
/// groups of the student are matched by name (members of a family name alike), what it has more
/// gets the usual of the rest.
class Carried {
  public:
    explicit Carried(const Model& model);

    /// Narrows the channel groups of a new student as those of the network were narrowed, in the
    /// same multiples of channels.
    void narrow(Model& student) const;

    /// Copies every tensor that the student has by the same name and in the same shape: channel
    /// groups of one name and size mean the same channels. Gives their share of all values.
    [[nodiscard]] double inherit(Model& student) const;

    /// Attaches the exits where the student has spent the same share of its MACs, with fresh heads.
    void attach_exits(Model& student) const;

    [[nodiscard]] bool has_bits() const { return !bits_.empty(); }

    /// Inserts quantize nodes of the same bits at the same layers; scales come from the weights and
    /// from a few training batches.
    void quantize(Model& student, Context& context) const;

  private:
    void read_widths(const Model& model);
    void read_bits(const Model& model);
    void read_exits(const Model& model);
    [[nodiscard]] LayerBits bits_of(const std::string& layer) const;

    const Model& replaced_;
    std::map<std::string, double> ratio_;  ///< by channel group: kept / of the family
    std::map<std::int64_t, std::vector<double>> ratios_by_channels_;  ///< of the family's groups
    std::int64_t multiple_ = 1;              ///< of channels, in which groups were cut
    std::map<std::string, LayerBits> bits_;  ///< by layer; empty: nothing is quantized
    LayerBits usual_bits_;
    std::vector<CarriedExit> exits_;
};

}  // namespace topress::distillation
