// TEMPLATE_ID: removes the weakest channels of every group, then trains what is left.
// SPDX-License-Identifier: Apache-2.0
#include <topress/plugin.hpp>

#include <ATen/ops/zeros.h>

#include <algorithm>

namespace {

using Channels = std::vector<std::int64_t>;

/// The norm of each channel over all weights that belong to it. Shape: (channels), on the CPU.
at::Tensor importance_of(const topress::Model& model, const topress::ChannelGroup& group) {
    at::Tensor squares = at::zeros({group.channels});
    for (const topress::GroupMember& member : group.members) {
        const at::Tensor parameter = model.parameter(member.parameter).detach();
        if (parameter.dim() < 2) {
            continue;  // biases and batch norm follow their channel
        }
        const at::Tensor rows =
            parameter.narrow(member.dim, member.offset, group.channels * member.repeat)
                .movedim(member.dim, 0)
                .reshape({group.channels, -1});
        squares += rows.square().sum(1).cpu();
    }
    return squares.sqrt();
}

/// The strongest channels, in ascending order of their index.
Channels strongest(const at::Tensor& importance, double keep_ratio) {
    const auto wanted = static_cast<double>(importance.numel()) * keep_ratio;
    const auto count = std::max<std::int64_t>(1, static_cast<std::int64_t>(wanted));
    const at::Tensor best = std::get<1>(importance.topk(count));
    const auto* first = best.const_data_ptr<std::int64_t>();
    Channels channels(first, first + count);
    std::sort(channels.begin(), channels.end());
    return channels;
}

class TEMPLATE_CLASS : public topress::Technique {
    void configure(const topress::Params& params) override {
        keep_ratio_ = params.get<double>("keep_ratio");
        fine_tuning_.epochs = params.get<double>("epochs");
        fine_tuning_.learning_rate_factor = 0.2;
        fine_tuning_.phase = "fine-tune";
    }

    void apply(topress::Model& model, topress::Context& context) override {
        std::vector<std::pair<std::string, Channels>> kept;
        for (const topress::ChannelGroup& group : model.groups()) {
            kept.emplace_back(group.name, strongest(importance_of(model, group), keep_ratio_));
        }
        if (kept.empty()) {
            throw topress::PluginError(TOPRESS_ERROR_UNSUPPORTED,
                                       "the network has no channels that could be removed");
        }
        const double macs = model.cost().macs;
        for (const auto& [group, channels] : kept) {
            model.keep_channels(group, channels);
        }
        context.metric("kept_macs_ratio", model.cost().macs / macs);
        context.fit(model, fine_tuning_);
    }

    double keep_ratio_ = 0;
    topress::FitOptions fine_tuning_;
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("TEMPLATE_TECHNIQUE", TEMPLATE_CLASS));
