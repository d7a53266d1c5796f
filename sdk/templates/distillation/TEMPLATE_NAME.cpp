// TEMPLATE_ID: replaces the network by a narrower one that learns the original's answers.
// SPDX-License-Identifier: Apache-2.0
// Source: Hinton et al. 2015, "Distilling the knowledge in a neural network", arXiv 1503.02531.
#include <topress/plugin.hpp>

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/kl_div.h>

#include <algorithm>

namespace {

/// T^2 * KL(teacher, student) with the labels' cross entropy beside it; mean over the batch.
at::Tensor teaching_loss(const topress::LossInput& input, double temperature, double label_weight) {
    const at::Tensor& student = input.outputs.back();  // exits, if there are any, come before it
    const at::Tensor answers = student.div(temperature).log_softmax(1);
    const at::Tensor wanted = input.teacher.div(temperature).log_softmax(1);
    const at::Tensor divergence =
        at::kl_div(answers, wanted, at::Reduction::Sum, /*log_target=*/true)
            .mul(temperature * temperature / static_cast<double>(student.size(0)));
    return divergence.add(at::cross_entropy_loss(student, input.labels), label_weight);
}

class TEMPLATE_CLASS : public topress::Technique {
    void configure(const topress::Params& params) override {
        width_ratio_ = params.get<double>("width_ratio");
        temperature_ = params.get<double>("temperature");
        label_weight_ = params.get<double>("label_weight");
        teaching_.epochs = params.get<double>("epochs");
        teaching_.phase = "teach";
    }

    void apply(topress::Model& model, topress::Context& context) override {
        topress::OwnedModel student =
            model.variant({{"width", narrower_width(model)}}, context.random());
        if (student.cost().macs >= model.cost().macs) {
            throw topress::PluginError(TOPRESS_ERROR_UNSUPPORTED,
                                       "the network is as small as the student already",
                                       "width_ratio");
        }
        teaching_.teacher = &context.original();
        teaching_.loss = topress::autograd_loss([this](const topress::LossInput& input) {
            return teaching_loss(input, temperature_, label_weight_);
        });
        const topress::FitReport report = context.fit(student, teaching_);
        context.metric("final_loss", report.final_loss);
        model.assign(student);
    }

    /// Channels of the student's first stage.
    std::int64_t narrower_width(const topress::Model& model) const {
        bool is_plain = model.exits().empty();
        for (const topress::NodeView& node : model.nodes()) {
            is_plain = is_plain && node.op != "quantize";
        }
        const auto setting = model.setting("width");
        const auto* width = setting ? std::get_if<std::int64_t>(&*setting) : nullptr;
        if (width == nullptr || !is_plain) {
            throw topress::PluginError(
                TOPRESS_ERROR_UNSUPPORTED,
                "a student can be made only of a network of a known family that no other "
                "technique has given quantizers or exits");
        }
        const double wanted = static_cast<double>(*width) * width_ratio_;
        return std::max<std::int64_t>(1, static_cast<std::int64_t>(wanted));
    }

    double width_ratio_ = 0;
    double temperature_ = 1;
    double label_weight_ = 0;
    topress::FitOptions teaching_;
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("TEMPLATE_TECHNIQUE", TEMPLATE_CLASS));
