// The student swap: variant of the same family, taught, then assigned over the model.
#include "student.hpp"

#include <string>

namespace topress::distillation {
namespace {

/// A student starts from nothing: what later stages added to the network cannot be carried over.
void require_plain(const Model& model) {
    bool quantized = false;
    for (const auto& node : model.nodes()) {
        quantized = quantized || node.op == "quantize";
    }
    if (quantized || !model.exits().empty()) {
        throw PluginError(
            TOPRESS_ERROR_UNSUPPORTED,
            "the network already has quantize nodes or exits, which a new student would lose: "
            "order the student before the stages that add them");
    }
}

}  // namespace

void Student::configure(const Params& params) {
    teaching_ = read_teaching(params);
    depth_ = params.get<std::int64_t>("depth");
    width_ = params.get<std::int64_t>("width");
}

void Student::apply(Model& model, Context& context) {
    require_plain(model);
    Attributes settings{{"depth", depth_}};
    if (width_ > 0) {
        settings["width"] = width_;
    }
    const double macs_before = model.cost().macs;
    OwnedModel student = model.variant(settings, context.random());
    const double macs = student.cost().macs;
    if (macs >= macs_before) {
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                          "a student of depth " + std::to_string(depth_) +
                              " is not smaller than the network it replaces (" +
                              std::to_string(static_cast<long long>(macs)) + " against " +
                              std::to_string(static_cast<long long>(macs_before)) +
                              " MACs): choose a smaller depth or width",
                          "depth");
    }
    const Model& teacher = context.original();
    FitOptions options;
    options.phase = "teach";
    options.epochs = teaching_.epochs;
    if (teaching_.learning_rate > 0) {
        options.learning_rate = teaching_.learning_rate;
    }
    options.teacher = &teacher;
    options.loss = teaching_loss(teaching_);
    const FitReport report = context.fit(student, options);
    context.metric("student_macs_ratio", macs / macs_before);
    context.metric("final_loss", report.final_loss);
    model.assign(student);
}

}  // namespace topress::distillation
