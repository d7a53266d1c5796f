// distillation.recovery: the network stays as it is and is fine-tuned with the original's logits.
#pragma once

#include "teaching.hpp"

#include <topress/plugin.hpp>

namespace topress::distillation {

/// A fine-tuning stage whose loss is the distance to the original's logits. Exits are
/// taught too.
class Recovery final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    Teaching teaching_;
};

}  // namespace topress::distillation
