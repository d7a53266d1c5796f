// distillation.student: a smaller network takes the place of the original.
#pragma once

#include "carried.hpp"
#include "teaching.hpp"

#include <topress/plugin.hpp>

#include <cstdint>
#include <string>

namespace topress::distillation {

/// Builds the student, a member of the network's family or a network from a file, trains it from
/// the original's logits and replaces the model by it. What earlier stages won stays: relative
/// widths, bits and exits (carried.hpp); a network from a file brings its own. Throws:
/// PluginError{UNSUPPORTED} for a network without a family, or with more exits than the student has
/// places for; {INVALID_ARGUMENT} for a student that is not smaller, takes other pictures or gives
/// other answers.
class Student final : public Technique {
  public:
    void configure(const Params& params) override;
    void apply(Model& model, Context& context) override;

  private:
    void replace_by_file(Model& model, Context& context) const;
    void replace_by_member(Model& model, Context& context) const;
    [[nodiscard]] OwnedModel make_student(const Model& model,
                                          const Carried& carried,
                                          Context& context) const;

    Teaching teaching_;
    std::int64_t depth_ = 0;
    std::int64_t width_ = 0;
    bool inherit_ = true;
    std::string network_;  ///< a file; empty = a member of the family
};

}  // namespace topress::distillation
