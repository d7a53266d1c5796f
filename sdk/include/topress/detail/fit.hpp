// FitOptions in their C form: trampolines for loss and hooks, and the exceptions they caught.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>
#include <topress/model.hpp>
#include <topress/tensor.hpp>
#include <topress/training.hpp>

#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <string>
#include <vector>

namespace topress::detail {

/// Borrows the options; lives as long as the fit. Its address is the context of the callbacks.
class FitCall {
  public:
    FitCall(const FitOptions& options, std::uint64_t seed) : options_(options) {
        plain_.struct_size = sizeof plain_;
        plain_.freeze_statistics = options.freeze_statistics ? 1 : 0;
        plain_.epochs = options.epochs;
        plain_.learning_rate = options.learning_rate.value_or(kNotSet);
        plain_.learning_rate_factor = options.learning_rate_factor;
        plain_.label_smoothing = options.label_smoothing.value_or(kNotSet);
        plain_.phase = options.phase.c_str();
        plain_.seed = seed;
        plain_.teacher = options.teacher != nullptr ? options.teacher->handle() : nullptr;
        plain_.freeze_others = options.freeze_others ? 1 : 0;
        set_callbacks();
        set_groups();
    }

    FitCall(const FitCall&) = delete;
    FitCall& operator=(const FitCall&) = delete;

    [[nodiscard]] const topress_fit_options& plain() const noexcept { return plain_; }

    /// Throws what a callback threw, as the very exception it was.
    void rethrow() const {
        if (caught_) {
            std::rethrow_exception(caught_);
        }
    }

  private:
    static constexpr double kNotSet = std::numeric_limits<double>::quiet_NaN();

    void set_callbacks() {
        plain_.loss = options_.loss ? &loss : nullptr;
        plain_.loss_context = this;
        plain_.after_backward = options_.after_backward ? &after_backward : nullptr;
        plain_.after_step = options_.after_step ? &after_step : nullptr;
        plain_.step_context = this;
    }

    void set_groups() {
        for (const ParameterGroup& group : options_.groups) {
            topress_parameter_group plain{};
            plain.struct_size = sizeof plain;
            plain.role = group.role.empty() ? nullptr : group.role.c_str();
            plain.name = group.role.empty() ? group.name.c_str() : nullptr;
            plain.learning_rate_factor = group.learning_rate_factor;
            plain.weight_decay = group.weight_decay.value_or(kNotSet);
            groups_.push_back(plain);
        }
        plain_.groups = groups_.data();
        plain_.group_count = groups_.size();
    }

    /// Runs a callback behind the barrier and keeps its exception for rethrow().
    template <class Body>
    topress_status run(topress_error* error, Body&& body) noexcept {
        return guarded(error, [&] {
            try {
                body();
            } catch (...) {
                caught_ = std::current_exception();
                throw;
            }
        });
    }

    static LossInput to_input(const topress_loss_input& plain) {
        LossInput input;
        for (std::uint32_t i = 0; i < plain.output_count; ++i) {
            input.outputs.push_back(to_tensor(plain.outputs[i]));
        }
        if (plain.teacher != nullptr) {
            input.teacher = to_tensor(plain.teacher);
        }
        input.labels = to_tensor(plain.labels);
        input.images = to_tensor(plain.images);
        input.step = plain.step;
        input.steps = plain.steps;
        return input;
    }

    static topress_status loss(void* context,
                               const topress_loss_input* input,
                               topress_tensor* value,
                               topress_tensor* const* gradients,
                               topress_error* error) {
        auto& self = *static_cast<FitCall*>(context);
        return self.run(error, [&] {
            Loss result = self.options_.loss(to_input(*input));
            if (result.gradients.size() != input->output_count) {
                throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                                  "the loss gave " + std::to_string(result.gradients.size()) +
                                      " gradients for " + std::to_string(input->output_count) +
                                      " outputs",
                                  "loss");
            }
            to_tensor(value) = std::move(result.value);
            for (std::uint32_t i = 0; i < input->output_count; ++i) {
                to_tensor(gradients[i]) = std::move(result.gradients[i]);
            }
        });
    }

    static topress_status after_backward(void* context,
                                         topress_model* model,
                                         std::uint64_t step,
                                         std::uint64_t steps,
                                         topress_error* error) {
        auto& self = *static_cast<FitCall*>(context);
        return self.hook(self.options_.after_backward, model, step, steps, error);
    }

    static topress_status after_step(void* context,
                                     topress_model* model,
                                     std::uint64_t step,
                                     std::uint64_t steps,
                                     topress_error* error) {
        auto& self = *static_cast<FitCall*>(context);
        return self.hook(self.options_.after_step, model, step, steps, error);
    }

    topress_status hook(const StepHook& function,
                        topress_model* model,
                        std::uint64_t step,
                        std::uint64_t steps,
                        topress_error* error) noexcept {
        return run(error, [&] {
            Model view(model);
            function(view, step, steps);
        });
    }

    const FitOptions& options_;
    topress_fit_options plain_{};
    std::vector<topress_parameter_group> groups_;
    std::exception_ptr caught_;
};

}  // namespace topress::detail
