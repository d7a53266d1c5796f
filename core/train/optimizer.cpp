// The fused optimizers of ATen, see optimizer.hpp.
#include "train/optimizer.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace topress::train {

namespace {

constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;

// The fused kernels walk raw memory: a gradient must be laid out as its parameter is. Autograd sees
// to that, a hook that sets a gradient of its own may not.
at::Tensor gradient_like(const at::Tensor& parameter) {
    const at::Tensor& gradient = parameter.grad();
    if (gradient.strides() == parameter.strides() && gradient.dtype() == parameter.dtype()) {
        return gradient;
    }
    return at::empty_like(parameter).copy_(gradient);
}

// The lists a fused call takes, of the parameters that have a gradient.
struct Lists {
    std::vector<at::Tensor> parameters;
    std::vector<at::Tensor> gradients;
    std::vector<at::Tensor> first;
    std::vector<at::Tensor> second;
    std::vector<at::Tensor> counts;
};

}  // namespace

OptimizerKind parse_optimizer(const std::string& name) {
    if (name == "sgd") {
        return OptimizerKind::Sgd;
    }
    if (name == "adamw") {
        return OptimizerKind::AdamW;
    }
    const auto near = nearest(name, {"sgd", "adamw"});
    throw Error("train/unknown-optimizer",
                "unknown optimizer '" + name + "'",
                "train.optimizer",
                near ? "did you mean '" + *near + "'?" : "known are sgd, adamw");
}

Optimizer::Optimizer(OptimizerKind kind, double momentum, std::vector<OptimizerGroup> groups)
    : kind_(kind), momentum_(momentum) {
    const c10::NoGradGuard no_gradients;
    for (const OptimizerGroup& group : groups) {
        Group own{{}, group.learning_rate_factor, group.weight_decay};
        for (const at::Tensor& parameter : group.parameters) {
            State state{parameter, at::zeros_like(parameter), {}, {}};
            if (kind_ == OptimizerKind::AdamW) {
                state.second = at::zeros_like(parameter);
                state.count = at::zeros({}, parameter.options().dtype(at::kFloat));
            }
            own.states.push_back(std::move(state));
        }
        groups_.push_back(std::move(own));
    }
}

void Optimizer::step_group(const Group& group, double learning_rate) const {
    Lists lists;
    for (const State& state : group.states) {
        if (!state.parameter.grad().defined()) {
            continue;
        }
        lists.parameters.push_back(state.parameter);
        lists.gradients.push_back(gradient_like(state.parameter));
        if (kind_ == OptimizerKind::AdamW || momentum_ > 0) {  // plain SGD must be given none
            lists.first.push_back(state.first);
        }
        if (kind_ == OptimizerKind::AdamW) {
            lists.second.push_back(state.second);
            lists.counts.push_back(state.count.add_(1));
        }
    }
    if (lists.parameters.empty()) {
        return;
    }
    if (kind_ == OptimizerKind::Sgd) {
        // Momentum starts at zero, so the first step needs no case of its own.
        at::_fused_sgd_(lists.parameters,
                        lists.gradients,
                        lists.first,
                        group.weight_decay,
                        momentum_,
                        learning_rate,
                        /*dampening=*/0,
                        /*nesterov=*/momentum_ > 0,
                        /*maximize=*/false,
                        /*is_first_step=*/false);
        return;
    }
    at::_fused_adamw_(lists.parameters,
                      lists.gradients,
                      lists.first,
                      lists.second,
                      /*max_exp_avg_sqs=*/{},
                      lists.counts,
                      learning_rate,
                      momentum_,
                      kBeta2,
                      group.weight_decay,
                      kEpsilon,
                      /*amsgrad=*/false,
                      /*maximize=*/false);
}

void Optimizer::step(double learning_rate) {
    const c10::NoGradGuard no_gradients;
    for (const Group& group : groups_) {
        step_group(group, learning_rate * group.learning_rate_factor);
    }
}

void Optimizer::clear_gradients() {
    for (const Group& group : groups_) {
        for (const State& state : group.states) {
            state.parameter.mutable_grad().reset();
        }
    }
}

}  // namespace topress::train
