// The student swap: another network, taught, then assigned over the model.
#include "student.hpp"

#include "carried.hpp"

#include <topress/scales.hpp>

#include <c10/util/ArrayRef.h>

#include <sstream>
#include <string>

namespace topress::distillation {
namespace {

// Share of the epochs that a student spends in float before it gets the bits of the network it
// replaces: steps learnt from random weights are lost, and a float network settles faster.
constexpr double kFloatShare = 0.7;
// Learning rate of the rest.
constexpr double kQuantizedRate = 0.1;
constexpr std::uint64_t kStatisticsBatches = 50;

void require_smaller(const Model& student, const Model& model, const char* where) {
    const double macs = student.cost().macs;
    const double before = model.cost().macs;
    if (macs >= before) {
        std::ostringstream text;
        text << "the student is not smaller than the network it replaces ("
             << static_cast<long long>(macs) << " against " << static_cast<long long>(before)
             << " MACs): choose a smaller one";
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT, text.str(), where);
    }
}

}  // namespace

void Student::configure(const Params& params) {
    teaching_ = read_teaching(params);
    depth_ = params.get_or<std::int64_t>("depth", 0);
    width_ = params.get<std::int64_t>("width");
    inherit_ = params.get<bool>("inherit");
    network_ = params.get<std::string>("network");
    if (!network_.empty() && (depth_ > 0 || width_ > 0)) {
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                          "depth or width, and a network from a file: give one",
                          "network");
    }
}

void Student::apply(Model& model, Context& context) {
    if (network_.empty()) {
        replace_by_member(model, context);
    } else {
        replace_by_file(model, context);
    }
}

void Student::replace_by_file(Model& model, Context& context) const {
    OwnedModel student = Model::load(network_);
    const auto same = [&](const char* what, const std::string& own, const std::string& wanted) {
        if (student.value_shape(own) != model.value_shape(wanted)) {
            std::ostringstream text;
            text << what << " of '" << network_ << "' has the shape "
                 << c10::IntArrayRef(student.value_shape(own))
                 << ", that of the network it replaces "
                 << c10::IntArrayRef(model.value_shape(wanted));
            throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT, text.str(), "network");
        }
    };
    same("the input", student.input(), model.input());
    same("the output", student.output(), model.output());
    require_smaller(student, model, "network");
    const double macs_ratio = student.cost().macs / model.cost().macs;
    const bool has_bits = !scales_of(student).empty();
    const FitReport report = teach(
        student, context, teaching_, {"teach", teaching_.epochs, has_bits ? kQuantizedRate : 1.0});
    if (has_bits) {
        context.update_statistics(student, kStatisticsBatches);
    }
    context.metric("student_macs_ratio", macs_ratio);
    context.metric("final_loss", report.final_loss);
    model.assign(student);
}

void Student::replace_by_member(Model& model, Context& context) const {
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
    require_smaller(student, model, "depth");
    return student;
}

}  // namespace topress::distillation
