// TEMPLATE_ID: gives the network a second output in the middle; sure samples leave there.
// SPDX-License-Identifier: Apache-2.0
#include <topress/plugin.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace {

constexpr double kNever = 2.0;  // no probability reaches it
const std::string kHead = "TEMPLATE_NAME";

class TEMPLATE_CLASS : public topress::Technique {
    void configure(const topress::Params& params) override {
        position_ = params.get<double>("position");
        leave_ratio_ = params.get<double>("leave_ratio");
        training_.epochs = params.get<double>("epochs");
        training_.phase = "head";
    }

    void apply(topress::Model& model, topress::Context& context) override {
        if (!model.exits().empty()) {
            throw topress::PluginError(TOPRESS_ERROR_UNSUPPORTED, "the network has exits already");
        }
        attach_head(model, find_place(model), context);
        train_head(model, context);
        choose_threshold(model, context);
    }

    /// The feature maps after which the share `position` of the computation is done.
    std::string find_place(const topress::Model& model) const {
        const double wanted = position_ * model.cost().macs;
        double done = 0;
        double nearest = 0;
        std::string place;
        for (const topress::NodeView& node : model.nodes()) {
            done += model.node_macs(node.name);
            const std::string& value = node.outputs.front();
            if (node.op == "quantize" || model.value_shape(value).size() != 3 || done == 0) {
                continue;
            }
            // Of several after the same convolution the last: it has been normalised.
            if (place.empty() || std::abs(done - wanted) <= std::abs(nearest - wanted)) {
                place = value;
                nearest = done;
            }
        }
        if (place.empty()) {
            throw topress::PluginError(TOPRESS_ERROR_UNSUPPORTED,
                                       "the network has no feature maps to attach a head to");
        }
        return place;
    }

    /// Global average pool, then one linear layer, all zero: every class equally likely.
    static void attach_head(topress::Model& model,
                            const std::string& place,
                            const topress::Context& context) {
        const std::int64_t classes = context.info().classes;
        const auto options = at::TensorOptions().device(context.device());
        model.add_parameter(kHead + ".weight",
                            "weight",
                            at::zeros({classes, model.value_shape(place).front()}, options));
        model.add_parameter(kHead + ".bias", "bias", at::zeros({classes}, options));
        model.add_node(kHead + ".pool", "global_avg_pool", {place}, {kHead + ".pooled"});
        model.add_node(kHead + ".flatten", "flatten", {kHead + ".pooled"}, {kHead + ".features"});
        model.add_node(kHead + ".linear",
                       "linear",
                       {kHead + ".features", kHead + ".weight", kHead + ".bias"},
                       {kHead + ".logits"});
        topress::Exit exit;
        exit.name = kHead;
        exit.logits = kHead + ".logits";
        exit.threshold = kNever;
        model.attach_exit(exit);
    }

    /// Trains the head alone: everything else, batch statistics included, stays as it is.
    void train_head(topress::Model& model, topress::Context& context) {
        training_.groups = {{"", kHead + ".weight", 1.0, {}}, {"", kHead + ".bias", 1.0, {}}};
        training_.freeze_others = true;
        training_.freeze_statistics = true;
        context.fit(model, training_);
    }

    /// The threshold at which the wanted share of the validation samples leaves.
    void choose_threshold(topress::Model& model, topress::Context& context) const {
        std::vector<at::Tensor> sureness;
        auto reader = context.batches(topress::Split::Validation);
        while (const auto batch = reader.next()) {
            context.throw_if_cancelled();
            sureness.push_back(model.forward(batch->images).front().softmax(1).amax(1));
        }
        const at::Tensor all = at::cat(sureness);
        const double threshold = all.quantile(1.0 - leave_ratio_).item<double>();
        const double share =
            all.ge(threshold).sum().item<double>() / static_cast<double>(all.numel());
        model.set_exit(kHead, threshold, share);
        context.metric("threshold", threshold);
    }

    double position_ = 0;
    double leave_ratio_ = 0;
    topress::FitOptions training_;
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("TEMPLATE_TECHNIQUE", TEMPLATE_CLASS));
