// L2: the segments of every group, reduced in one call of the kernel. The others are sums of
// something over the same members, with the operators of LibTorch.
#include "importance.hpp"

#include "kernels/group_l2.hpp"

#include <topress/stream.hpp>
#include <topress/walk.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>

namespace topress::pruning {
namespace {

// Training batches that the gradients of Taylor come from.
constexpr std::uint64_t kTaylorBatches = 10;
// Largest factor between the penalties of the least and the most important channel.
constexpr double kPenaltyBase = 16;

/// Parameters whose size says something about a channel: weights of convolutions and linear layers
/// (also behind a quantize node) and batch-norm gammas, or those alone.
std::set<std::string> counted_parameters(const Model& model, bool gammas_only = false) {
    const std::vector<NodeView> nodes = model.nodes();
    const auto behind_quantize = behind_quantizers(nodes);
    std::set<std::string> counted;
    for (const auto& node : nodes) {
        if (node.op == "batch_norm" ||
            (!gammas_only && (node.op == "conv2d" || node.op == "linear"))) {
            const std::string& value = node.inputs.at(1);
            const auto quantized = behind_quantize.find(value);
            counted.insert(quantized == behind_quantize.end() ? value : quantized->second);
        }
    }
    return counted;
}

struct SegmentList {
    std::vector<at::Tensor> tensors;  // keeps the memory the segments point into
    std::vector<GroupSegment> segments;
};

void add_member(SegmentList& list,
                const at::Tensor& parameter,
                const GroupMember& member,
                std::int64_t channels,
                std::int64_t out_offset) {
    const at::Tensor tensor = parameter.detach()
                                  .narrow(member.dim, member.offset, channels * member.repeat)
                                  .contiguous()
                                  .to(at::kFloat);
    GroupSegment segment;
    segment.data = tensor.const_data_ptr<float>();
    segment.outer = 1;
    segment.inner = member.repeat;
    for (std::int64_t d = 0; d < tensor.dim(); ++d) {
        if (d < member.dim) {
            segment.outer *= tensor.size(d);
        } else if (d > member.dim) {
            segment.inner *= tensor.size(d);
        }
    }
    segment.channels = channels;
    segment.out_offset = out_offset;
    list.tensors.push_back(tensor);
    list.segments.push_back(segment);
}

/// Squared norms of all channels, group after group, on the CPU.
at::Tensor reduce(const SegmentList& list, std::int64_t size) {
    const auto device = list.tensors.empty() ? at::Device(at::kCPU) : list.tensors.front().device();
    at::Tensor importance = at::zeros({size}, at::TensorOptions().dtype(at::kFloat).device(device));
    const auto count = static_cast<std::int64_t>(list.segments.size());
    require_group_l2(list.segments.data(), count, size);
#if TOPRESS_HAVE_CUDA
    if (device.is_cuda()) {
        const auto bytes = static_cast<std::int64_t>(list.segments.size() * sizeof(GroupSegment));
        const at::Tensor host = at::empty({bytes}, at::kByte);
        std::memcpy(host.mutable_data_ptr<std::uint8_t>(),
                    list.segments.data(),
                    static_cast<std::size_t>(bytes));
        const at::Tensor on_device = host.to(device);
        launch_group_l2(
            reinterpret_cast<const GroupSegment*>(on_device.const_data_ptr<std::uint8_t>()),
            count,
            importance.mutable_data_ptr<float>(),
            size,
            current_stream(device));
        return importance.cpu();
    }
#endif
    if (!device.is_cpu()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "this build of the plugin has no CUDA kernels");
    }
    group_l2_cpu(list.segments.data(), count, importance.mutable_data_ptr<float>(), size);
    return importance;
}

/// Channels of one member, summed over everything else; in double, on the CPU.
at::Tensor sum_by_channel(const at::Tensor& values,
                          const GroupMember& member,
                          std::int64_t channels) {
    const at::Tensor part =
        values.detach().narrow(member.dim, member.offset, channels * member.repeat);
    const at::Tensor rows = part.movedim(member.dim, 0).reshape({channels, -1});
    return rows.to(at::kDouble).sum(1).cpu();
}

using ValueOf = std::function<at::Tensor(const std::string& parameter)>;

/// Per channel of all groups, one after the other: the sum of `value_of` over the counted members.
at::Tensor group_sums(const Model& model,
                      const std::set<std::string>& counted,
                      const ValueOf& value_of) {
    std::vector<at::Tensor> sums;
    for (const auto& group : model.groups()) {
        at::Tensor sum = at::zeros({group.channels}, at::kDouble);
        for (const auto& member : group.members) {
            if (counted.count(member.parameter) != 0) {
                sum.add_(sum_by_channel(value_of(member.parameter), member, group.channels));
            }
        }
        sums.push_back(sum);
    }
    return sums.empty() ? at::zeros({0}, at::kDouble) : at::cat(sums);
}

at::Tensor squared_norms(const Model& model) {
    const auto counted = counted_parameters(model);
    SegmentList list;
    std::int64_t size = 0;
    for (const auto& group : model.groups()) {
        for (const auto& member : group.members) {
            if (counted.count(member.parameter) != 0) {
                add_member(list, model.parameter(member.parameter), member, group.channels, size);
            }
        }
        size += group.channels;
    }
    return reduce(list, size).to(at::kDouble);
}

at::Tensor magnitudes(const Model& model, bool gammas_only) {
    const auto counted = counted_parameters(model, gammas_only);
    for (const auto& group : model.groups()) {
        const bool is_measured =
            std::any_of(group.members.begin(), group.members.end(), [&](const GroupMember& member) {
                return counted.count(member.parameter) != 0;
            });
        if (!is_measured) {  // it would count as useless and be removed first
            throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                              "channel group '" + group.name +
                                  "' has no batch norm: choose another criterion than gamma",
                              "criterion");
        }
    }
    return group_sums(
        model, counted, [&](const std::string& name) { return model.parameter(name).abs(); });
}

/// Gradients come from a fit of a copy whose steps are too small to change it.
at::Tensor taylor(const Model& model, Context& context) {
    OwnedModel copy = model.clone();
    const auto counted = counted_parameters(copy);
    at::Tensor total;
    FitOptions options;
    options.phase = "importance";
    const auto samples = static_cast<double>(context.info().train_samples);
    auto reader = context.batches(Split::Train);
    const auto first = reader.next();
    if (!first) {
        throw PluginError(
            TOPRESS_ERROR_UNSUPPORTED, "the criterion taylor needs training pictures", "criterion");
    }
    const auto batch = static_cast<double>(first->labels.size(0));
    options.epochs = std::min(1.0, static_cast<double>(kTaylorBatches) * batch / samples);
    options.learning_rate = std::numeric_limits<double>::min();
    options.freeze_statistics = true;
    options.after_backward = [&](Model& trained, std::uint64_t, std::uint64_t) {
        const at::Tensor sums = group_sums(trained, counted, [&](const std::string& name) {
            const at::Tensor parameter = trained.parameter(name);
            return parameter.grad().defined() ? parameter * parameter.grad()
                                              : at::zeros_like(parameter);
        });
        total = total.defined() ? total + sums.abs() : sums.abs();
    };
    context.fit(copy, options);
    return total;
}

at::Tensor random_figures(const Model& model, Context& context) {
    std::vector<double> figures;
    for (const auto& group : model.groups()) {
        for (std::int64_t c = 0; c < group.channels; ++c) {
            figures.push_back(static_cast<double>(context.random() >> 11U) * 0x1p-53);
        }
    }
    return at::tensor(figures, at::kDouble);
}

at::Tensor figures_of(const Model& model, Criterion criterion, Context& context) {
    switch (criterion) {
        case Criterion::L1:
            return magnitudes(model, false);
        case Criterion::Gamma:
            return magnitudes(model, true);
        case Criterion::Taylor:
            return taylor(model, context);
        case Criterion::Random:
            return random_figures(model, context);
        case Criterion::L2:
            break;
    }
    return squared_norms(model).sqrt();
}

}  // namespace

Criterion parse_criterion(const std::string& name) {
    static const std::map<std::string, Criterion> kNames{{"l2", Criterion::L2},
                                                         {"l1", Criterion::L1},
                                                         {"gamma", Criterion::Gamma},
                                                         {"taylor", Criterion::Taylor},
                                                         {"random", Criterion::Random}};
    const auto found = kNames.find(name);
    if (found == kNames.end()) {
        throw PluginError(
            TOPRESS_ERROR_INVALID_ARGUMENT, "unknown criterion '" + name + "'", "criterion");
    }
    return found->second;
}

std::vector<GroupImportance> measure_importance(const Model& model,
                                                Criterion criterion,
                                                Context& context) {
    const at::Tensor figures = figures_of(model, criterion, context).contiguous();
    const double* values = figures.const_data_ptr<double>();
    std::vector<GroupImportance> result;
    for (const auto& group : model.groups()) {
        result.push_back({group.name, {values, values + group.channels}, group.channels});
        values += group.channels;
    }
    return result;
}

void add_group_penalty(Model& trained, double strength) {
    const auto counted = counted_parameters(trained);
    const at::Tensor importance = squared_norms(trained).sqrt();
    std::int64_t begin = 0;
    for (const auto& group : trained.groups()) {
        const at::Tensor own = importance.narrow(0, begin, group.channels);
        begin += group.channels;
        const at::Tensor spread = own.max() - own.min();
        if (spread.item<double>() <= 0) {
            continue;
        }
        const at::Tensor factor = at::pow(kPenaltyBase, (own.max() - own) / spread).mul_(strength);
        for (const auto& member : group.members) {
            const at::Tensor parameter = trained.parameter(member.parameter);
            if (counted.count(member.parameter) == 0 || !parameter.grad().defined()) {
                continue;
            }
            const auto part = [&](const at::Tensor& whole) {
                return whole.narrow(member.dim, member.offset, group.channels * member.repeat);
            };
            std::vector<std::int64_t> shape(static_cast<std::size_t>(parameter.dim()), 1);
            shape[static_cast<std::size_t>(member.dim)] = -1;
            const at::Tensor by_channel =
                factor.repeat_interleave(member.repeat).to(parameter.options()).view(shape);
            part(parameter.grad()).add_(part(parameter.detach()) * by_channel);
        }
    }
}

}  // namespace topress::pruning
