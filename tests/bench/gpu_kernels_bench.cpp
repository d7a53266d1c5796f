// Kernels of the bundled plugins on a CUDA device: time, bytes per second, and the same composed of
// ATen. Prints a Markdown table; says so and ends where there is no device.
#include "distillation/kernels/kd_loss.hpp"
#include "early_exit/kernels/exit_gate.hpp"
#include "network/operators.hpp"
#include "pruning/kernels/group_l2.hpp"
#include "quantization/kernels/fake_quant.hpp"
#include "train/device.hpp"

#include <topress/stream.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <cuda_runtime_api.h>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace topress;
using Call = std::function<void()>;

void check(cudaError_t status) {
    if (status != cudaSuccess) {
        throw std::runtime_error(cudaGetErrorString(status));
    }
}

class Event {
  public:
    Event() { check(cudaEventCreate(&event_)); }

    ~Event() { static_cast<void>(cudaEventDestroy(event_)); }

    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void record() const { check(cudaEventRecord(event_, nullptr)); }

    [[nodiscard]] double microseconds_since(const Event& start) const {
        check(cudaEventSynchronize(event_));
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, start.event_, event_));
        return static_cast<double>(milliseconds) * 1e3;
    }

  private:
    cudaEvent_t event_ = nullptr;
};

// Device time of one call, calls back to back: median of seven groups.
double microseconds(const Call& call) {
    constexpr int kGroups = 7;
    constexpr double kGroupMicroseconds = 10e3;
    const Event start;
    const Event end;
    const auto group = [&](int calls) {
        start.record();
        for (int i = 0; i < calls; ++i) {
            call();
        }
        end.record();
        return end.microseconds_since(start) / calls;
    };
    static_cast<void>(group(3));
    const int calls =
        std::clamp(static_cast<int>(kGroupMicroseconds / std::max(group(3), 1.0)), 3, 2000);
    std::vector<double> times;
    for (int i = 0; i < kGroups; ++i) {
        times.push_back(group(calls));
    }
    std::nth_element(times.begin(), times.begin() + kGroups / 2, times.end());
    return times[kGroups / 2];
}

at::TensorOptions floats() {
    return at::TensorOptions(at::kCUDA).dtype(at::kFloat);
}

// Bytes per second of a large copy, read and written: what memory gives at best.
double copy_bandwidth() {
    const at::Tensor from = at::rand({std::int64_t{1} << 28}, floats());
    at::Tensor to = at::empty_like(from);
    const double time = microseconds([&] { to.copy_(from); });
    return 2.0 * static_cast<double>(from.nbytes()) / time * 1e6;
}

struct Row {
    std::string kernel;
    std::string work;
    double bytes;
    Call fused;
    Call composed;
};

void print(const Row& row, double peak) {
    const double fused = microseconds(row.fused);
    const double composed = microseconds(row.composed);
    const double rate = row.bytes / fused * 1e6;
    std::printf("| %s | %s | %.1f | %.0f | %.0f %% | %.1f | %.1f |\n",
                row.kernel.c_str(),
                row.work.c_str(),
                fused,
                rate * 1e-9,
                rate / peak * 100,
                composed,
                composed / fused);
    std::fflush(stdout);
}

void bench_fake_quant(std::int64_t elements, double peak) {
    const at::Tensor x = at::rand({elements}, floats());
    const at::Tensor grad = at::rand({elements}, floats());
    const at::Tensor scale = at::full({1}, 0.06, floats());
    const quantization::FakeQuantShape shape{1, 1, elements};
    const quantization::FakeQuantRange range{0, 15};
    at::Tensor y = at::empty_like(x);
    at::Tensor grad_x = at::empty_like(x);
    at::Tensor grad_scale = at::empty_like(scale);
    at::Tensor workspace = at::empty({quantization::fake_quant_workspace_floats(shape)}, floats());
    void* const stream = current_stream(x.device());
    const auto& builtin = network::builtin_quantize();
    const std::string work = std::to_string(elements) + " activations";
    print({"fake quantization, forward",
           work,
           8.0 * static_cast<double>(elements),
           [&] {
               quantization::launch_fake_quant_forward(x.const_data_ptr<float>(),
                                                       scale.const_data_ptr<float>(),
                                                       shape,
                                                       range,
                                                       y.mutable_data_ptr<float>(),
                                                       stream);
           },
           [&] { static_cast<void>(builtin.forward(x, scale, 0, 15, -1)); }},
          peak);
    print({"fake quantization, backward",
           work,
           12.0 * static_cast<double>(elements),
           [&] {
               quantization::launch_fake_quant_backward(grad.const_data_ptr<float>(),
                                                        x.const_data_ptr<float>(),
                                                        scale.const_data_ptr<float>(),
                                                        shape,
                                                        range,
                                                        1.0F,
                                                        grad_x.mutable_data_ptr<float>(),
                                                        grad_scale.mutable_data_ptr<float>(),
                                                        workspace.mutable_data_ptr<float>(),
                                                        stream);
           },
           [&] { static_cast<void>(builtin.backward(grad, x, scale, 0, 15, -1, 1.0)); }},
          peak);
}

at::Tensor standardised(const at::Tensor& logits, float temperature) {
    return (logits - logits.mean(1, true)) / (logits.std(1, true, true) + 1e-7) / temperature;
}

void bench_kd_loss(std::int64_t batch, std::int64_t classes, double peak) {
    const at::Tensor student = at::randn({batch, classes}, floats()) * 3;
    const at::Tensor teacher = at::randn({batch, classes}, floats()) * 3;
    const at::Tensor labels = at::randint(0, classes, {batch}, floats().dtype(at::kLong));
    at::Tensor loss = at::empty({}, floats());
    at::Tensor sample_loss = at::empty({batch}, floats());
    at::Tensor gradient = at::empty_like(student);
    distillation::KdLossParameters parameters;
    parameters.temperature = 2;
    parameters.distillation_weight = 9;
    parameters.cross_entropy_weight = 0.1F;
    parameters.standardise = true;
    print({"distillation loss and gradient",
           std::to_string(batch) + " x " + std::to_string(classes),
           12.0 * static_cast<double>(student.numel()),
           [&] {
               distillation::launch_kd_loss({student.const_data_ptr<float>(),
                                             teacher.const_data_ptr<float>(),
                                             labels.const_data_ptr<std::int64_t>(),
                                             batch,
                                             classes},
                                            parameters,
                                            {loss.mutable_data_ptr<float>(),
                                             sample_loss.mutable_data_ptr<float>(),
                                             gradient.mutable_data_ptr<float>()},
                                            current_stream(student.device()));
           },
           [&] {
               const at::Tensor own = student.detach().set_requires_grad(true);
               const at::Tensor ce = at::cross_entropy_loss(own, labels);
               const at::Tensor kl = at::kl_div(at::log_softmax(standardised(own, 2), 1),
                                                at::log_softmax(standardised(teacher, 2), 1),
                                                at::Reduction::Sum,
                                                true) /
                                     static_cast<double>(batch);
               (ce * 0.1 + kl * 36).backward();
           }},
          peak);
}

// Weights (Cout, Cin, 3, 3) of a ResNet of four stages.
std::vector<at::Tensor> make_weights(std::int64_t blocks, std::int64_t width) {
    std::vector<at::Tensor> weights;
    std::int64_t channels = width;
    for (std::int64_t stage = 0; stage < 4; ++stage) {
        for (std::int64_t layer = 0; layer < 2 * blocks; ++layer) {
            weights.push_back(at::randn({width << stage, channels, 3, 3}, floats()));
            channels = width << stage;
        }
    }
    return weights;
}

void bench_group_l2(std::int64_t blocks, std::int64_t width, double peak) {
    const std::vector<at::Tensor> weights = make_weights(blocks, width);
    std::vector<pruning::GroupSegment> segments;
    std::int64_t size = 0;
    double bytes = 0;
    for (const at::Tensor& weight : weights) {  // as output of one group, and input of another
        const auto* first = weight.const_data_ptr<float>();
        const std::int64_t inner = weight.numel() / weight.size(0);
        segments.push_back({first, 1, weight.size(0), inner, size});
        size += weight.size(0);
        segments.push_back({first, weight.size(0), weight.size(1), 9, size});
        size += weight.size(1);
        bytes += 2.0 * static_cast<double>(weight.nbytes());
    }
    const auto listed = static_cast<std::int64_t>(segments.size() * sizeof(pruning::GroupSegment));
    at::Tensor host = at::empty({listed}, at::kByte);
    std::memcpy(host.mutable_data_ptr<std::uint8_t>(), segments.data(), host.nbytes());
    const at::Tensor list = host.to(at::kCUDA);
    at::Tensor importance = at::empty({size}, floats());
    print({"importance of all channel groups",
           "ResNet-" + std::to_string(8 * blocks + 2) + " w" + std::to_string(width),
           bytes,
           [&] {
               pruning::launch_group_l2(reinterpret_cast<const pruning::GroupSegment*>(
                                            list.const_data_ptr<std::uint8_t>()),
                                        static_cast<std::int64_t>(segments.size()),
                                        importance.mutable_data_ptr<float>(),
                                        size,
                                        current_stream(list.device()));
           },
           [&] {
               std::vector<at::Tensor> sums;
               for (const at::Tensor& weight : weights) {
                   const at::Tensor squares = weight.square();
                   sums.push_back(squares.sum({1, 2, 3}));
                   sums.push_back(squares.sum({0, 2, 3}));
               }
               static_cast<void>(at::cat(sums));
           }},
          peak);
}

void bench_exit_gate(std::int64_t batch, std::int64_t classes, double peak) {
    at::Tensor logits = at::randn({batch, classes}, floats()) * 2;
    logits.slice(0, 0, batch, 2).select(1, 0).add_(12);
    at::Tensor confidence = at::empty({batch}, floats());
    at::Tensor leave = at::empty({batch}, floats().dtype(at::kLong));
    at::Tensor stay = at::empty_like(leave);
    at::Tensor counts = at::empty({2}, leave.options());
    print(
        {"exit gate and compaction",
         std::to_string(batch) + " x " + std::to_string(classes),
         4.0 * static_cast<double>(logits.numel()) + 20.0 * static_cast<double>(batch),
         [&] {
             early_exit::launch_exit_gate({logits.const_data_ptr<float>(), batch, classes, 0.6F},
                                          {confidence.mutable_data_ptr<float>(),
                                           leave.mutable_data_ptr<std::int64_t>(),
                                           stay.mutable_data_ptr<std::int64_t>(),
                                           counts.mutable_data_ptr<std::int64_t>()},
                                          current_stream(logits.device()));
             static_cast<void>(counts.cpu());
         },
         [&] { static_cast<void>(network::builtin_exit_gate()(logits, "max-probability", 0.6)); }},
        peak);
}

int run() {
    static_cast<void>(train::open_device("cuda"));
    cudaDeviceProp device{};
    check(cudaGetDeviceProperties(&device, 0));
    const double peak = copy_bandwidth();
    std::printf("%s, a copy of 1 GiB moves %.0f GB/s (read and written): the peak below\n\n",
                device.name,
                peak * 1e-9);
    std::puts("| kernel | work | kernel, us | GB/s | of the peak | composed, us | ratio |");
    std::puts("|---|---|---|---|---|---|---|");
    for (const std::int64_t elements : {std::int64_t{1} << 23, std::int64_t{1} << 27}) {
        bench_fake_quant(elements, peak);
    }
    for (const std::int64_t batch : {128, 65536}) {
        bench_kd_loss(batch, 10, peak);
        bench_kd_loss(batch, 100, peak);
    }
    bench_group_l2(2, 64, peak);
    bench_group_l2(4, 64, peak);
    bench_exit_gate(256, 10, peak);
    bench_exit_gate(256, 100, peak);
    bench_exit_gate(65536, 1000, peak);
    return 0;
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gpu_kernels_bench: %s\n", error.what());
        return 1;
    }
}
