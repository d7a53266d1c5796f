// distillation.student: a smaller network of the same family takes the place of the original.
#pragma once

#include "teaching.hpp"

#include <topress/plugin.hpp>

namespace topress::distillation {

/// Builds the student, trains it from the original's logits and replaces the model by it.
/// Throws: PluginError{UNSUPPORTED} for a network without a family, or one that already has exits
/// or quantize nodes (the student would lose them).
class Student final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    Teaching teaching_;
    std::int64_t depth_ = 0;
    std::int64_t width_ = 0;
};

}  // namespace topress::distillation
