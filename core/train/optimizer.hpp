// SGD with Nesterov momentum and AdamW over groups of parameters, one fused call a group.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace topress::train {

enum class OptimizerKind : std::uint8_t { Sgd, AdamW };

/// "sgd", "adamw". Throws Error{train/unknown-optimizer} with the nearest name.
[[nodiscard]] OptimizerKind parse_optimizer(const std::string& name);

/// Parameters that share a learning rate and a weight decay.
struct OptimizerGroup {
    std::vector<at::Tensor> parameters;
    double learning_rate_factor = 1;
    double weight_decay = 0;
};

/// Updates parameters in place from their gradients; one without a gradient is left as it is.
///   sgd    g += decay * w; v = momentum * v + g; w -= rate * (g + momentum * v)
///   adamw  w *= 1 - rate * decay; Adam with beta1 = momentum, beta2 = 0.999, epsilon = 1e-8
class Optimizer {
  public:
    Optimizer(OptimizerKind kind, double momentum, std::vector<OptimizerGroup> groups);

    void step(double learning_rate);
    /// Releases the gradients, so that the next backward pass need not add to them.
    void clear_gradients();

  private:
    // What is remembered of one parameter between steps.
    struct State {
        at::Tensor parameter;
        at::Tensor first;   ///< momentum
        at::Tensor second;  ///< AdamW: mean of squares
        at::Tensor count;   ///< AdamW: steps taken, a float scalar
    };

    struct Group {
        std::vector<State> states;
        double learning_rate_factor;
        double weight_decay;
    };

    void step_group(const Group& group, double learning_rate) const;

    OptimizerKind kind_;
    double momentum_;
    std::vector<Group> groups_;
};

}  // namespace topress::train
