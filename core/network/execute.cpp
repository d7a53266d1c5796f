// Running a network for all of its outputs, or for chosen values.
#include "network/execute.hpp"

#include "network/runner.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace topress::network {

std::vector<at::Tensor> forward(const Network& network,
                                const at::Tensor& input,
                                const RunMode& mode) {
    const auto plan = plan_of(network);
    Runner runner(network, *plan, input, mode);
    std::vector<at::Tensor> outputs;
    for (std::size_t i = 0; i < plan->segments.size(); ++i) {
        outputs.push_back(runner.run_segment()[0]);
    }
    return outputs;
}

std::vector<at::Tensor> observe(const Network& network,
                                const at::Tensor& input,
                                const std::vector<std::string>& values) {
    // NoGradGuard, not InferenceMode: callers may use what they get in a computation with
    // gradients.
    const at::NoGradGuard no_gradients;
    const Plan plan = make_plan(network, values);
    return Runner(network, plan, input, RunMode{}).run_segment();
}

}  // namespace topress::network
