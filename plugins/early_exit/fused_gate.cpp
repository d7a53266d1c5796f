// Unwraps logits for the kernel and cuts its index lists to length.
#include "fused_gate.hpp"

#include "kernels/exit_gate.hpp"

#include <topress/ops.hpp>
#include <topress/stream.hpp>

#include <ATen/ATen.h>

namespace topress::early_exit {
namespace {

std::pair<at::Tensor, at::Tensor> gate(const at::Tensor& logits_in,
                                       std::string_view criterion,
                                       double threshold) {
    if (criterion != "max-probability" || logits_in.scalar_type() != at::kFloat) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED, "only max-probability on float32");
    }
    const at::Tensor logits = logits_in.contiguous();
    const std::int64_t batch = logits.size(0);
    const auto integers = at::TensorOptions().dtype(at::kLong).device(logits.device());
    // How sure a sample is, nobody asks here: on the CPU that saves work.
    at::Tensor confidence;
    float* confidence_data = nullptr;
    if (!logits.is_cpu()) {
        confidence = at::empty({batch}, logits.options());
        confidence_data = confidence.mutable_data_ptr<float>();
    }
    at::Tensor leave = at::empty({batch}, integers);
    at::Tensor stay = at::empty({batch}, integers);
    at::Tensor counts = at::empty({2}, integers);
    const ExitGateInputs inputs{
        logits.const_data_ptr<float>(), batch, logits.size(1), static_cast<float>(threshold)};
    const ExitGateOutputs outputs{confidence_data,
                                  leave.mutable_data_ptr<std::int64_t>(),
                                  stay.mutable_data_ptr<std::int64_t>(),
                                  counts.mutable_data_ptr<std::int64_t>()};
    if (logits.is_cpu()) {
        exit_gate_fast_cpu(inputs, outputs);
    } else {
#if TOPRESS_HAVE_CUDA
        launch_exit_gate(inputs, outputs, current_stream(logits.device()));
#else
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "this build of the plugin has no CUDA kernels");
#endif
    }
    const at::Tensor on_host = counts.cpu();
    const auto* count = on_host.const_data_ptr<std::int64_t>();
    return {leave.narrow(0, 0, count[0]), stay.narrow(0, 0, count[1])};
}

}  // namespace

void offer_fused_gate() {
    implement_exit_gate<&gate>();
}

}  // namespace topress::early_exit
