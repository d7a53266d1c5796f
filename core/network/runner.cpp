// Runs a plan step by step; overwrites a dying input where the operator can and nobody else holds
// it.
#include "network/runner.hpp"

#include "base/error.hpp"
#include "network/operators/cast.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace topress::network {
namespace {

void check_batch(const Network& network, const at::Tensor& input) {
    const Shape& shape = network.input().shape;
    const bool fits = input.defined() &&
                      input.dim() == static_cast<std::int64_t>(shape.size()) + 1 &&
                      std::equal(shape.begin(), shape.end(), input.sizes().begin() + 1);
    if (!fits) {
        throw Error("network/shape-mismatch",
                    "the batch has shape " +
                        (input.defined() ? to_text(input.sizes().vec()) : std::string("()")) +
                        ", each sample must be " + to_text(shape),
                    network.input().name);
    }
}

/// Nobody else sees this memory: no other tensor, no view, nothing saved for a gradient.
bool is_sole_owner(const at::Tensor& tensor) {
    return tensor.use_count() == 1 && tensor.has_storage() && tensor.storage().use_count() == 1;
}

/// Rows of a tensor in its own memory format; index_select alone gives up channels-last.
at::Tensor select_rows(const at::Tensor& tensor, const at::Tensor& indices) {
    if (tensor.dim() == 4 && tensor.is_contiguous(at::MemoryFormat::ChannelsLast)) {
        return tensor.permute({0, 2, 3, 1}).index_select(0, indices).permute({0, 3, 1, 2});
    }
    return tensor.index_select(0, indices);
}

}  // namespace

Runner::Runner(const Network& network,
               const Plan& plan,
               const at::Tensor& input,
               const RunMode& mode)
    : network_(network), plan_(plan), mode_(mode), slots_(plan.constant_slots.size()) {
    check_batch(network, input);
    slots_[0] = input;
}

at::Tensor Runner::fetch(const Source& source) {
    if (source.is_parameter) {
        return network_.parameters()[source.index].tensor;
    }
    return source.is_last_use ? std::move(slots_[source.index]) : slots_[source.index];
}

void Runner::run_step(const Step& step) {
    inputs_.clear();
    for (const Source& source : step.inputs) {
        inputs_.push_back(fetch(source));
    }
    if (mode_.reduced) {
        cast_inputs(*step.op, inputs_);
    }
    mode_.constant_input = step.constant_input;
    const Node& node = network_.nodes()[step.node];
    auto outputs = step.op->forward_in_place && is_sole_owner(inputs_[0])
                       ? step.op->forward_in_place(node, inputs_, mode_)
                       : step.op->forward(node, inputs_, mode_);
    if (step.is_read) {
        slots_[step.output] = std::move(outputs[0]);
    }
    inputs_.clear();
}

std::vector<at::Tensor> Runner::run_segment() {
    const Segment& segment = plan_.segments[next_segment_++];
    for (; next_step_ < segment.end; ++next_step_) {
        const Step& step = plan_.steps[next_step_];
        try {
            run_step(step);
        } catch (const c10::Error& error) {
            const std::string& name = network_.nodes()[step.node].name;
            throw Error("network/run-failed",
                        "node '" + name + "' failed: " + error.what_without_backtrace(),
                        name);
        }
    }
    std::vector<at::Tensor> targets;
    for (const Source& source : segment.targets) {
        targets.push_back(fetch(source));
    }
    return targets;
}

void Runner::keep_samples(const at::Tensor& indices) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].defined() && !plan_.constant_slots[i]) {
            slots_[i] = select_rows(slots_[i], indices);
        }
    }
}

}  // namespace topress::network
