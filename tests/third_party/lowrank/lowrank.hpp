// The technique: finds the layers where two thinner ones are cheaper, and puts them in their place.
#pragma once

#include <topress/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace example::lowrank {

/// Parameters are those of plugin.toml.
class LowRank : public topress::Technique {
  public:
    void configure(const topress::Params& params) override;
    void apply(topress::Model& model, topress::Context& context) override;

  private:
    /// A layer as the product of two, not yet in the network.
    struct Plan;

    Plan plan_linear(const topress::Model& model, const topress::NodeView& node) const;
    Plan plan_channel(const topress::Model& model, const topress::NodeView& node) const;
    Plan plan_spatial(const topress::Model& model, const topress::NodeView& node) const;
    /// Rank for these singular values; `unit_macs`: MACs of one component, `macs`: of the layer.
    std::int64_t choose_rank(const at::Tensor& singular_values,
                             double unit_macs,
                             double macs) const;
    bool replace(topress::Model& model, const topress::NodeView& node) const;

    double energy_ratio_ = 0.9;
    double macs_ratio_ = 0;
    std::string scheme_;
    std::int64_t round_to_ = 1;
    double epochs_ = 1;
    double learning_rate_factor_ = 0.1;
};

}  // namespace example::lowrank
