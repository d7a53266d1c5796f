// Records steps as CUDA graphs: a library of its own, opened where there is a device, so that the
// program itself needs no CUDA.
#include "train/step_recorder.hpp"

#include <ATen/cuda/CUDAContextLight.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include <vector>

namespace topress::train {
namespace {

class CudaGraphRecorder final : public StepRecorder {
  public:
    std::size_t record(const std::function<void()>& launch) override {
        auto graph = std::make_unique<at::cuda::CUDAGraph>();
        graph->capture_begin(pool_);
        try {
            launch();
        } catch (...) {
            abandon(*graph);
            throw;
        }
        graph->capture_end();
        graphs_.push_back(std::move(graph));
        return graphs_.size() - 1;
    }

    void replay(std::size_t recording) override { graphs_.at(recording)->replay(); }

  private:
    /// Ends a recording that failed, so that the stream works again.
    void abandon(at::cuda::CUDAGraph& graph) const noexcept {
        try {
            graph.capture_end();
        } catch (...) {  // as expected: the recording is not valid
            c10::cuda::CUDACachingAllocator::endAllocateToPool(c10::cuda::current_device(), pool_);
        }
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
