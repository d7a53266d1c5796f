// The student swap: variant of the same family, taught, then assigned over the model.
#include "student.hpp"

#include "carried.hpp"

#include <ATen/ATen.h>

#include <string>

namespace topress::distillation {
namespace {

// Share of the epochs that a student spends in float before it gets the bits of the network it
// replaces: steps learnt from random weights are lost, and a float network settles faster.
constexpr double kFloatShare = 0.7;
// Learning rate of the rest.
constexpr double kQuantizedRate = 0.1;
constexpr std::uint64_t kStatisticsBatches = 50;

}  // namespace

void Student::configure(const Params& params) {
    teaching_ = read_teaching(params);
    depth_ = params.get<std::int64_t>("depth");
    width_ = params.get<std::int64_t>("width");
    inherit_ = params.get<bool>("inherit");
}

void Student::apply(Model& model, Context& context) {
    const Carried carried(model);
    const double macs_before = model.cost().macs;
    OwnedModel student = make_student(model, carried, context);
    const double macs = student.cost().macs;
    const bool has_exits = !model.exits().empty();
    if (inherit_) {
        context.metric("inherited_share", carried.inherit(student));
    }
    carried.attach_exits(student);
    const double float_share = carried.has_bits() ? kFloatShare : 1.0;
    FitReport report =
        teach(student, context, teaching_, {"teach", teaching_.epochs * float_share, 1.0});
    if (carried.has_bits()) {
        carried.quantize(student, context);
        report = teach(student,
                       context,
                       teaching_,
                       {"teach-quantized", teaching_.epochs * (1.0 - float_share), kQuantizedRate});
        context.update_statistics(student, kStatisticsBatches);
    }
    context.metric("student_macs_ratio", macs / macs_before);
    context.metric("final_loss", report.final_loss);
    if (has_exits || carried.has_bits()) {
        context.log_info("kept the bits and exits of the network it replaces");
    }
    model.assign(student);
}

OwnedModel Student::make_student(const Model& model,
                                 const Carried& carried,
                                 Context& context) const {
    Attributes settings{{"depth", depth_}};
    if (width_ > 0) {
        settings["width"] = width_;
    }
    OwnedModel student = model.variant(settings, context.random());
    carried.narrow(student);
    const double before = model.cost().macs;
    const double macs = student.cost().macs;
    if (macs >= before) {
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                          "a student of depth " + std::to_string(depth_) +
                              " is not smaller than the network it replaces (" +
                              std::to_string(static_cast<long long>(macs)) + " against " +
                              std::to_string(static_cast<long long>(before)) +
                              " MACs): choose a smaller depth or width",
                          "depth");
    }
    return student;
}

}  // namespace topress::distillation
