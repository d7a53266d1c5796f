// distillation.student: a smaller network of the same family takes the place of the original.
#pragma once

#include "carried.hpp"
#include "teaching.hpp"

#include <topress/plugin.hpp>

namespace topress::distillation {

/// Builds the student, trains it from the original's logits and replaces the model by it. What
/// earlier stages won stays: relative widths, bits and exits (carried.hpp).
/// Throws: PluginError{UNSUPPORTED} for a network without a family, or with more exits than the
/// student has places for.
class Student final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    [[nodiscard]] OwnedModel make_student(const Model& model,
                                          const Carried& carried,
                                          Context& context) const;

    Teaching teaching_;
    std::int64_t depth_ = 0;
    std::int64_t width_ = 0;
    bool inherit_ = true;
};

}  // namespace topress::distillation
