// Fine-tuning against the original's logits.
#include "recovery.hpp"

#include <topress/scales.hpp>

namespace topress::distillation {
namespace {

// Without a learning rate of its own, a fine-tuning stage takes this share of the run's.
constexpr double kLearningRateFactor = 0.1;
constexpr std::uint64_t kStatisticsBatches = 50;

}  // namespace

void Recovery::configure(const Params& params) {
    teaching_ = read_teaching(params);
}

void Recovery::apply(Model& model, Context& context) {
    const FitReport report =
        teach(model, context, teaching_, {"recover", teaching_.epochs, kLearningRateFactor});
    if (!scales_of(model).empty() && teaching_.epochs > 0) {
        // Running means follow the rounding of weights that jump between two levels.
        context.update_statistics(model, kStatisticsBatches);
    }
    context.metric("final_loss", report.final_loss);
}

}  // namespace topress::distillation
