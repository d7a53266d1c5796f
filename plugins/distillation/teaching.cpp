// The fit, and the tensors unwrapped for the kernel: CPU or CUDA, by where the logits are.
#include "teaching.hpp"

#include "decoupled.hpp"
#include "hints.hpp"
#include "kernels/kd_loss.hpp"

#include <topress/scales.hpp>
#include <topress/stream.hpp>

#include <ATen/ATen.h>

namespace topress::distillation {
namespace {

KdLossParameters to_kernel(const Teaching& teaching) {
    KdLossParameters parameters;
    parameters.cross_entropy_weight = static_cast<float>(teaching.label_weight);
    parameters.distillation_weight = static_cast<float>(teaching.teacher_weight);
    parameters.temperature = static_cast<float>(teaching.temperature);
    parameters.standardise = teaching.standardise;
    return parameters;
}

/// student, teacher (B, C); labels (B).
Loss evaluate(const KdLossParameters& parameters,
              const at::Tensor& student_logits,
              const at::Tensor& teacher_logits,
              const at::Tensor& label_ids) {
    const at::Tensor student = student_logits.contiguous().to(at::kFloat);
    const at::Tensor teacher = teacher_logits.contiguous().to(at::kFloat);
    const at::Tensor labels = label_ids.contiguous();
    at::Tensor loss = at::empty({}, student.options());
    at::Tensor sample_loss = at::empty({student.size(0)}, student.options());
    at::Tensor gradient = at::empty_like(student);
    const KdLossInputs<float> inputs{student.const_data_ptr<float>(),
                                     teacher.const_data_ptr<float>(),
                                     labels.const_data_ptr<std::int64_t>(),
                                     student.size(0),
                                     student.size(1)};
    const KdLossOutputs<float> outputs{loss.mutable_data_ptr<float>(),
                                       sample_loss.mutable_data_ptr<float>(),
                                       gradient.mutable_data_ptr<float>()};
#if TOPRESS_HAVE_CUDA
    if (student.is_cuda()) {
        launch_kd_loss(inputs, parameters, outputs, current_stream(student.device()));
        return {loss, {gradient}};
    }
#endif
    if (!student.is_cpu()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "this build of the plugin has no CUDA kernels");
    }
    kd_loss_fast_cpu(inputs, parameters, outputs);
    return {loss, {gradient}};
}

/// Distance to numbers and to the teacher's: there are no probabilities to be softened.
Loss match_numbers(const Teaching& teaching,
                   const at::Tensor& student,
                   const at::Tensor& teacher,
                   const at::Tensor& labels) {
    const NumberLoss told = number_loss(student, teacher, TaskLoss::MeanSquared);
    const NumberLoss hard = number_loss(student, labels, teaching.task_loss);
    return {told.value * teaching.number_weight + hard.value * teaching.label_weight,
            {told.gradient * teaching.number_weight + hard.gradient * teaching.label_weight}};
}

/// The loss of one output.
Loss output_loss(const Teaching& teaching,
                 const KdLossParameters& parameters,
                 const at::Tensor& output,
                 const LossInput& input) {
    if (input.labels.is_floating_point()) {
        return match_numbers(teaching, output, input.teacher, input.labels);
    }
    if (teaching.decouple) {
        return decoupled_loss(
            output,
            input.teacher,
            input.labels,
            {1, teaching.teacher_weight, teaching.label_weight, teaching.temperature});
    }
    return evaluate(parameters, output, input.teacher, input.labels);
}

}  // namespace

Teaching read_teaching(const Params& params) {
    Teaching teaching;
    const auto method = params.get<std::string>("method");
    teaching.standardise = method == "standardised";
    teaching.decouple = method == "decoupled";
    const double temperature = params.get<double>("temperature");
    teaching.temperature = temperature > 0 ? temperature : (teaching.standardise ? 2.0 : 4.0);
    const double weight = params.get<double>("teacher_weight");
    teaching.teacher_weight = weight >= 0            ? weight
                              : teaching.standardise ? 9.0
                              : teaching.decouple    ? 8.0
                                                     : 0.9;
    teaching.number_weight = weight >= 0 ? weight : 0.9;
    teaching.label_weight = params.get<double>("label_weight");
    teaching.hint_weight = params.get<double>("hint_weight");
    teaching.epochs = params.get<double>("epochs");
    teaching.learning_rate = params.get<double>("learning_rate");
    return teaching;
}

LossFunction teaching_loss(const Teaching& teaching) {
    return [parameters = to_kernel(teaching), teaching](const LossInput& input) {
        // Exits learn from the same teacher: what is trained below them would leave them behind.
        const auto outputs = static_cast<double>(input.outputs.size());
        Loss total;
        for (const at::Tensor& output : input.outputs) {
            Loss one = output_loss(teaching, parameters, output, input);
            if (input.outputs.size() > 1) {
                one.value.div_(outputs);
                one.gradients.front().div_(outputs);
            }
            total.value = total.value.defined() ? total.value + one.value : one.value;
            total.gradients.push_back(std::move(one.gradients.front()));
        }
        return total;
    };
}

FitReport teach(Model& taught, Context& context, const Teaching& teaching, const Lesson& lesson) {
    const Model& teacher = context.original();
    FitOptions options;
    options.phase = lesson.phase;
    options.epochs = lesson.epochs;
    options.learning_rate = teaching.learning_rate * lesson.learning_rate_factor;  // 0 = the run's
    options.learning_rate_factor = lesson.learning_rate_factor;
    Teaching told = teaching;
    told.task_loss = context.info().loss;
    options.loss = teaching_loss(told);
    guard_scales(options, taught);
    if (teaching.hint_weight <= 0) {
        options.teacher = &teacher;
        return context.fit(taught, options);
    }
    // Hints need more of the teacher than its logits, and bring those along.
    const Hints hints(taught, teacher, context.device(), context.random());
    context.log_debug(hints.describe());
    options.loss = hints.loss(std::move(options.loss), teaching.hint_weight);
    FitReport report = context.fit(taught, options);
    hints.remove(taught);
    return report;
}

}  // namespace topress::distillation
