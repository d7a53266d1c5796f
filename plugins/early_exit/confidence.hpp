// early_exit.confidence: heads on a frozen body, thresholds chosen on validation.
#pragma once

#include "choice.hpp"
#include "head_training.hpp"
#include "heads.hpp"

#include <topress/plugin.hpp>

#include <string>
#include <vector>

namespace topress::early_exit {

/// Attaches heads (heads.hpp) where the network is cut by a single value, trains them against the
/// final logits and the labels with the body frozen or together with it, and sets per-exit
/// thresholds that minimise expected BitOps at a bounded loss of validation accuracy. Of candidates
/// the few that save most together are kept; heads that no threshold makes worth their cost are
/// left out, unless a later exit compares its answer with theirs. A network that has exits already
/// keeps them as they are; only their thresholds are chosen again. Throws: PluginError{UNSUPPORTED}
/// when no place for a head is found, or an exit has a criterion that is unknown here,
/// {INVALID_ARGUMENT} for a place where none can be.
class ConfidenceExits final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    [[nodiscard]] std::vector<Head> plan_heads(const Model& model) const;
    /// As the exits of a network name it. Throws: PluginError{INVALID_ARGUMENT} for one of classes
    /// where labels are numbers.
    [[nodiscard]] std::string criterion_for(const DataInfo& data) const;
    [[nodiscard]] AccuracyBound bound_for(const DataInfo& data) const;
    void choose_again(Model& model, Context& context) const;

    std::vector<double> positions_;
    std::vector<std::string> places_;
    int candidates_ = 0;
    int maximum_exits_ = 0;
    HeadTraining training_;
    HeadOptions head_;  ///< an empty criterion is the usual one of the task
    double max_drop_pp_ = 0;
    bool counts_gains_ = false;
    double minimum_saving_ = 0;
};

}  // namespace topress::early_exit
