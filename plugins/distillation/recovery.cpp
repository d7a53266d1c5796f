// Fine-tuning against the original's logits.
#include "recovery.hpp"

namespace topress::distillation {
namespace {

// Without a learning rate of its own, a fine-tuning stage takes this share of the run's.
constexpr double kLearningRateFactor = 0.1;

}  // namespace

void Recovery::configure(const Params& params) {
    teaching_ = read_teaching(params);
}

void Recovery::apply(Model& model, Context& context) {
    const Model& teacher = context.original();
    FitOptions options;
    options.phase = "recover";
    options.epochs = teaching_.epochs;
    if (teaching_.learning_rate > 0) {
        options.learning_rate = teaching_.learning_rate;
    }
    options.learning_rate_factor = kLearningRateFactor;
    options.teacher = &teacher;
    options.loss = teaching_loss(teaching_);
    const FitReport report = context.fit(model, options);
    context.metric("final_loss", report.final_loss);
}

}  // namespace topress::distillation
