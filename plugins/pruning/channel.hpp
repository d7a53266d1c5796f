// pruning.channel: removes the least important channels of coupled groups until the network is as
// small as wanted.
#pragma once

#include "importance.hpp"
#include "removal.hpp"

#include <topress/plugin.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace topress::pruning {

/// The share of a size that is to be left.
struct Target {
    Measure measure = Measure::Macs;
    double ratio = 1;
};

/// Iterative structured pruning: importance -> selection -> removal -> fine-tuning, `steps` times;
/// before it, if asked for, a phase of training that shrinks what is going to be removed.
/// Throws: PluginError{UNSUPPORTED} when the network has no prunable group or the guards stop
/// before the target. Source: group L2 importance as in DepGraph (Fang et al. 2023, arXiv
/// 2301.12900).
class ChannelPruning final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    /// Goes `part` (0..1) of the way to the targets.
    void run_schedule(Model& model, double part, Context& context) const;
    /// The smallest of a few sizes that loses no more than max_drop_pp; the network is unchanged
    /// where none does.
    void prune_within_drop(Model& model, Context& context) const;
    void prune_to(Model& model, Measure measure, double target, Context& context) const;
    void fine_tune(Model& model,
                   Context& context,
                   double epochs,
                   const char* phase,
                   StepHook after_backward = {}) const;
    void make_sparse(Model& model, Context& context) const;

    std::vector<Target> targets_;  ///< all of them are met
    int steps_ = 1;
    double epochs_ = 0;
    double learning_rate_ = 0;
    double sparse_epochs_ = 0;
    double penalty_ = 0;
    double original_weight_ = 0;
    double max_drop_pp_ = 0;
    Criterion criterion_ = Criterion::L2;
    Guards guards_;
    Normalisation normalisation_ = Normalisation::Maximum;
    std::map<std::string, std::int64_t> initial_channels_;
};

}  // namespace topress::pruning
