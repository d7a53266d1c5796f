// Gathers the segments of every group and reduces them all in one call of the kernel.
#include "importance.hpp"

#include "kernels/group_l2.hpp"

#include <topress/stream.hpp>

#include <ATen/ATen.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>

namespace topress::pruning {
namespace {

/// Parameters whose size says something about a channel: weights of convolutions and linear layers
/// (also behind a quantize node) and batch-norm gammas.
std::set<std::string> counted_parameters(const Model& model) {
    std::map<std::string, std::string> behind_quantize;
    std::set<std::string> counted;
    for (const auto& node : model.nodes()) {
        if (node.op == "quantize") {
            behind_quantize[node.outputs.front()] = node.inputs.front();
        } else if (node.op == "conv2d" || node.op == "linear" || node.op == "batch_norm") {
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

}  // namespace

std::vector<GroupImportance> measure_importance(const Model& model) {
    const auto counted = counted_parameters(model);
    const auto groups = model.groups();
    SegmentList list;
    std::int64_t size = 0;
    for (const auto& group : groups) {
        for (const auto& member : group.members) {
            if (counted.count(member.parameter) != 0) {
                add_member(list, model.parameter(member.parameter), member, group.channels, size);
            }
        }
        size += group.channels;
    }
    const at::Tensor squared = reduce(list, size);
    const float* values = squared.const_data_ptr<float>();
    std::vector<GroupImportance> result;
    for (const auto& group : groups) {
        GroupImportance importance{group.name, {}, group.channels};
        for (std::int64_t c = 0; c < group.channels; ++c) {
            importance.importance.push_back(std::sqrt(static_cast<double>(*values++)));
        }
        result.push_back(std::move(importance));
    }
    return result;
}

}  // namespace topress::pruning
