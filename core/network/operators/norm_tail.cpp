// The fused step: which memory it can work on, its gradient, and the composition it replaces.
// Source of the gradient: Ioffe and Szegedy 2015, arXiv 1502.03167, section 3.
#include "network/operators/norm_tail.hpp"

#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;
using Floats = std::vector<float>;

constexpr std::size_t kResidual = 5;  // position among the inputs

/// How one call normalises.
struct Normalisation {
    NormTail tail;
    bool batch_statistics = false;
    bool update_statistics = false;
    double momentum = 0.1;
    double epsilon = kDefaultEpsilon;
};

NormExtent extent_of(const at::Tensor& x) {
    const std::int64_t channels = x.size(1);
    return {x.numel() / channels, channels};
}

/// Channels innermost, nothing between the rows.
bool is_rows(const at::Tensor& x) {
    return x.dim() == 4 ? x.is_contiguous(at::MemoryFormat::ChannelsLast)
                        : x.dim() == 2 && x.is_contiguous();
}

at::Tensor as_rows(const at::Tensor& x) {
    return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x.contiguous();
}

bool is_plain(const at::Tensor& x) {
    return x.is_cpu() && x.scalar_type() == at::kFloat;
}

bool is_supported(const Tensors& inputs, const RunMode& mode) {
    const at::Tensor& x = inputs[0];
    if (!is_plain(x) || !is_rows(x) || x.numel() == 0) {
        return false;
    }
    for (std::size_t i = 1; i < inputs.size(); ++i) {
        if (!is_plain(inputs[i]) || (i < kResidual && !inputs[i].is_contiguous())) {
            return false;
        }
    }
    return !mode.training || extent_of(x).rows > 1;
}

const float* data(const at::Tensor& tensor) {
    return tensor.const_data_ptr<float>();
}

/// What one call needs per channel.
struct Coefficients {
    std::vector<double> mean;
    std::vector<double> inverse_deviation;
    Floats scale;
    Floats shift;
};

/// running = running * (1 - momentum) + now * momentum, the variance unbiased.
void update_running(const NormStatistics& now,
                    const NormExtent& extent,
                    double momentum,
                    const at::Tensor& mean,
                    const at::Tensor& variance) {
    const auto rows = static_cast<double>(extent.rows);
    auto* means = mean.mutable_data_ptr<float>();
    auto* variances = variance.mutable_data_ptr<float>();
    for (std::size_t c = 0; c < now.mean.size(); ++c) {
        const auto mix = [momentum](float old, double value) {
            return static_cast<float>(static_cast<double>(old) * (1 - momentum) + value * momentum);
        };
        means[c] = mix(means[c], now.mean[c]);
        variances[c] = mix(variances[c], now.variance[c] * rows / (rows - 1));
    }
}

Coefficients coefficients_of(const Tensors& inputs, const Normalisation& how) {
    const NormExtent extent = extent_of(inputs[0]);
    const auto channels = static_cast<std::size_t>(extent.channels);
    NormStatistics now;
    if (how.batch_statistics) {
        now = norm_statistics(data(inputs[0]), extent);
        if (how.update_statistics) {
            update_running(now, extent, how.momentum, inputs[3], inputs[4]);
        }
    } else {
        now.mean.assign(data(inputs[3]), data(inputs[3]) + channels);
        now.variance.assign(data(inputs[4]), data(inputs[4]) + channels);
    }
    Coefficients result{std::move(now.mean), {}, Floats(channels), Floats(channels)};
    for (std::size_t c = 0; c < channels; ++c) {
        const double inverse = 1.0 / std::sqrt(now.variance[c] + how.epsilon);
        const double scale = static_cast<double>(data(inputs[1])[c]) * inverse;
        result.inverse_deviation.push_back(inverse);
        result.scale[c] = static_cast<float>(scale);
        result.shift[c] =
            static_cast<float>(static_cast<double>(data(inputs[2])[c]) - result.mean[c] * scale);
    }
    return result;
}

void write_output(const Tensors& inputs,
                  const Coefficients& by_channel,
                  const NormTail& tail,
                  at::Tensor& y) {
    const at::Tensor residual = tail.residual ? as_rows(inputs[kResidual]) : at::Tensor();
    norm_forward(data(inputs[0]),
                 tail.residual ? data(residual) : nullptr,
                 by_channel.scale.data(),
                 by_channel.shift.data(),
                 y.mutable_data_ptr<float>(),
                 tail,
                 extent_of(inputs[0]));
}

at::Tensor to_tensor(const std::vector<double>& values) {
    return at::tensor(values, at::kDouble);
}

std::vector<double> to_vector(const at::Tensor& values) {
    const auto* first = values.const_data_ptr<double>();
    return {first, first + values.numel()};
}

/// [backward may run on an autograd thread]
class Norm : public torch::autograd::Function<Norm> {
  public:
    static at::Tensor forward(torch::autograd::AutogradContext* context,
                              const at::Tensor& x,
                              const at::Tensor& gamma,
                              const at::Tensor& beta,
                              const at::Tensor& running_mean,
                              const at::Tensor& running_variance,
                              const std::optional<at::Tensor>& residual,
                              const Normalisation& how) {
        Tensors inputs{x, gamma, beta, running_mean, running_variance};
        if (how.tail.residual) {
            inputs.push_back(*residual);
        }
        const Coefficients by_channel = coefficients_of(inputs, how);
        at::Tensor y = at::empty_like(x);
        write_output(inputs, by_channel, how.tail, y);
        Tensors saved{
            x, gamma, to_tensor(by_channel.mean), to_tensor(by_channel.inverse_deviation)};
        if (how.tail.relu && how.tail.residual) {
            saved.push_back(y);
        } else if (how.tail.relu) {
            saved.push_back(at::tensor(by_channel.scale));
            saved.push_back(at::tensor(by_channel.shift));
        }
        context->save_for_backward(saved);
        context->saved_data["relu"] = how.tail.relu;
        context->saved_data["residual"] = how.tail.residual;
        context->saved_data["batch_statistics"] = how.batch_statistics;
        return y;
    }

    static Tensors backward(torch::autograd::AutogradContext* context, const Tensors& grads) {
        if (!grads[0].defined()) {
            return Tensors(7);
        }
        const NormTail tail{context->saved_data["relu"].toBool(),
                            context->saved_data["residual"].toBool()};
        const bool is_last_reader = has_one_reader(grads[0]);
        const at::Tensor grad_y = as_rows(grads[0]);
        return gradients(context->get_saved_variables(),
                         grad_y,
                         is_last_reader || !grad_y.is_same(grads[0]),
                         tail,
                         context->saved_data["batch_statistics"].toBool());
    }

  private:
    /// Nobody else sees this memory: a gradient of it may be written over it.
    static bool has_one_reader(const at::Tensor& grad) {
        return !at::GradMode::is_enabled() && grad.use_count() == 1 &&
               grad.storage().use_count() == 1;
    }

    static Tensors gradients(const Tensors& saved,
                             const at::Tensor& grad_y,
                             bool may_overwrite,
                             const NormTail& tail,
                             bool batch_statistics) {
        const at::Tensor& x = saved[0];
        const NormExtent extent = extent_of(x);
        const std::vector<double> mean = to_vector(saved[2]);
        const std::vector<double> inverse = to_vector(saved[3]);
        // Without a relu the residual's gradient is that of the output.
        const bool passes = tail.relu && tail.residual;
        at::Tensor passed;
        NormBackward pass{data(grad_y), data(x)};
        if (passes) {
            passed = may_overwrite ? grad_y : at::empty_like(x);
            pass.y = data(saved[4]);
            pass.passed = passed.mutable_data_ptr<float>();
        } else if (tail.relu) {
            pass.scale = data(saved[4]);
            pass.shift = data(saved[5]);
        }
        const NormSums sums = norm_backward_sums(pass, mean, extent);

        const auto channels = static_cast<std::size_t>(extent.channels);
        const auto rows = static_cast<double>(extent.rows);
        at::Tensor grad_gamma = at::empty_like(saved[1]);
        at::Tensor grad_beta = at::empty_like(saved[1]);
        const Floats means(mean.begin(), mean.end());
        std::array<Floats, 3> factors{Floats(channels), Floats(channels), Floats(channels)};
        for (std::size_t c = 0; c < channels; ++c) {
            const double product = sums.gradient_times_centred[c];
            const double scale = static_cast<double>(data(saved[1])[c]) * inverse[c];
            grad_gamma.mutable_data_ptr<float>()[c] = static_cast<float>(product * inverse[c]);
            grad_beta.mutable_data_ptr<float>()[c] = static_cast<float>(sums.gradient[c]);
            factors[0][c] = static_cast<float>(scale);
            if (batch_statistics) {
                const double spread = scale * inverse[c] * inverse[c] * product / rows;
                factors[1][c] = static_cast<float>(spread);
                factors[2][c] = static_cast<float>(scale * sums.gradient[c] / rows);
            }
        }
        at::Tensor grad_x = may_overwrite && !tail.residual ? grad_y : at::empty_like(x);
        norm_backward_input(pass,
                            {means.data(), factors[0].data(), factors[1].data(), factors[2].data()},
                            grad_x.mutable_data_ptr<float>(),
                            extent);
        const at::Tensor grad_residual = passes ? passed : tail.residual ? grad_y : at::Tensor();
        return {grad_x, grad_gamma, grad_beta, {}, {}, grad_residual, {}};
    }
};

Normalisation normalisation_of(const Node& node, const RunMode& mode, const NormTail& tail) {
    return {tail,
            mode.training,
            mode.training && mode.update_statistics,
            mode.statistics_momentum,
            number_attribute(node, "epsilon", kDefaultEpsilon)};
}

/// The operators one after the other.
Tensors compose(const Node& node,
                const Tensors& inputs,
                const RunMode& mode,
                const NormTail& tail) {
    static const Operator batch_norm = make_batch_norm();
    at::Tensor y = batch_norm.forward(node, Tensors(inputs.begin(), inputs.begin() + 5), mode)[0];
    if (tail.residual) {
        y = y.add_(inputs[kResidual]);
    }
    return {tail.relu ? y.relu_() : y};
}

Tensors run(const Node& node, const Tensors& inputs, const RunMode& mode, const NormTail& tail) {
    if (!is_supported(inputs, mode)) {
        return compose(node, inputs, mode, tail);
    }
    const Normalisation how = normalisation_of(node, mode, tail);
    if (wants_gradients(inputs)) {
        return {Norm::apply(inputs[0],
                            inputs[1],
                            inputs[2],
                            inputs[3],
                            inputs[4],
                            tail.residual ? std::optional(inputs[kResidual]) : std::nullopt,
                            how)};
    }
    at::Tensor y = at::empty_like(inputs[0]);
    write_output(inputs, coefficients_of(inputs, how), tail, y);
    return {y};
}

Tensors run_in_place(const Node& node, Tensors& inputs, const RunMode& mode, const NormTail& tail) {
    if (!is_supported(inputs, mode) || wants_gradients(inputs)) {
        return run(node, inputs, mode, tail);
    }
    const Coefficients by_channel = coefficients_of(inputs, normalisation_of(node, mode, tail));
    write_output(inputs, by_channel, tail, inputs[0]);
    return {inputs[0]};
}

Operator make_norm(const NormTail& tail) {
    Operator made = make_batch_norm();
    made.name = "batch_norm_and_tail";  // internal: no network names it
    made.maximum_inputs = kResidual + 1;
    made.forward = [tail](const Node& node, const Tensors& inputs, const RunMode& mode) {
        return run(node, inputs, mode, tail);
    };
    made.forward_in_place = [tail](const Node& node, Tensors& inputs, const RunMode& mode) {
        return run_in_place(node, inputs, mode, tail);
    };
    return made;
}

}  // namespace

const Operator& norm_operator(const NormTail& tail) {
    static const std::array<Operator, 4> all{make_norm({false, false}),
                                             make_norm({true, false}),
                                             make_norm({false, true}),
                                             make_norm({true, true})};
    return all.at((tail.relu ? 1U : 0U) + (tail.residual ? 2U : 0U));
}

}  // namespace topress::network
