// early_exit.confidence: heads on a frozen body, thresholds chosen on validation.
#pragma once

#include "thresholds.hpp"

#include <topress/plugin.hpp>

#include <string>
#include <vector>

namespace topress::early_exit {

/// Attaches heads where the network is cut by a single value, trains them against the final logits
/// and the labels with the body frozen, and sets per-exit thresholds that minimise expected BitOps
/// at a bounded loss of validation accuracy. Heads that no threshold makes worth their cost are
/// left out. A network that has exits already keeps them as they are; only their thresholds are
/// chosen again. Throws: PluginError{UNSUPPORTED} when no place for a head is found, or an exit has
/// a criterion that is unknown here.
class ConfidenceExits final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    void choose_again(Model& model, Context& context) const;
    void train_heads(Model& model, Context& context) const;

    std::vector<double> positions_;
    std::string criterion_;
    double epochs_ = 0;
    double learning_rate_ = 0;
    double max_drop_pp_ = 0;
    double temperature_ = 1;
    double label_weight_ = 0;
};

}  // namespace topress::early_exit
