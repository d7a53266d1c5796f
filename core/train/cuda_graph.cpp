// Records steps as CUDA graphs: a library of its own, opened where there is a device, so that the
// program itself needs no CUDA.
#include "train/step_recorder.hpp"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include <exception>
#include <vector>

namespace topress::train {
namespace {

/// For what has to be tried after something went wrong, which is what will be told.
template <typename Action>
void quietly(const Action& action) noexcept {
    try {
        action();
    } catch (...) {  // NOLINT: nothing to add to the first failure
    }
}

class CudaGraphRecorder final : public StepRecorder {
  public:
    std::size_t record(const std::function<void()>& launch) override {
        if (graphs_.empty()) {
            // While it records, the allocator cannot give back what others have left.
            c10::cuda::CUDACachingAllocator::emptyCache();
        }
        auto graph = std::make_unique<at::cuda::CUDAGraph>();
        std::exception_ptr failure;
        try {
            graph->capture_begin(pool_);
            launch();
        } catch (...) {
            failure = std::current_exception();
        }
        try {
            graph->capture_end();
        } catch (...) {
            failure = failure ? failure : std::current_exception();
            end_broken_capture();
        }
        if (failure) {
            std::rethrow_exception(failure);
        }
        graphs_.push_back(std::move(graph));
        return graphs_.size() - 1;
    }

    void replay(std::size_t recording) override { graphs_.at(recording)->replay(); }

  private:
    /// LibTorch leaves both allocators, and the generator, where they were when a capture is not
    /// valid: they would go on as if it lasted.
    void end_broken_capture() const noexcept {
        quietly([&] {
            c10::cuda::CUDACachingAllocator::endAllocateToPool(c10::cuda::current_device(), pool_);
        });
        quietly([&] { at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool_); });
        quietly([] {
            at::cuda::CUDAGraph nothing;
            nothing.capture_begin();
            nothing.capture_end();
        });
    }

    at::cuda::MempoolId_t pool_ = at::cuda::graph_pool_handle();
    std::vector<std::unique_ptr<at::cuda::CUDAGraph>> graphs_;
};

}  // namespace
}  // namespace topress::train

/// Who calls owns the result.
extern "C" __attribute__((visibility("default"))) topress::train::StepRecorder*
topress_make_step_recorder() {
    return new topress::train::CudaGraphRecorder;
}
