// A plugin for tests that breaks one promise at a time: the host's post-checks must see each, and
// a process of its own must keep the worst of it away from the host.
#include <topress/plugin.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace {

using topress::Context;
using topress::Model;

const std::string kWeight = "head.linear.weight";
const std::string kBias = "head.linear.bias";

using Misdeed = std::function<void(Model&, Context&)>;
using Misdeeds = std::map<std::string, Misdeed>;

void scale_weight(Model& model, double factor) {
    model.set_parameter(kWeight, model.parameter(kWeight) * factor);
}

void forget_classes(Model& model, Context& /*context*/) {
    model.set_parameter(kWeight, model.parameter(kWeight).narrow(0, 0, 3).clone());
    model.set_parameter(kBias, model.parameter(kBias).narrow(0, 0, 3).clone());
}

/// A weight that fits nothing before it.
void break_shape(Model& model, Context& /*context*/) {
    const at::Tensor weight = model.parameter(kWeight);
    model.set_parameter(kWeight, weight.narrow(1, 0, weight.size(1) - 1).clone());
}

void lower_threshold(Model& model, Context& /*context*/) {
    const topress::Exit exit = model.exits().front();
    model.set_exit(exit.name, exit.threshold / 2, exit.share);
}

/// The shortest program that a compiler does not take out.
void crash(Model& /*model*/, Context& context) {
    context.log_info("about to crash");
    std::fprintf(stderr, "last words\n");
    std::raise(SIGSEGV);
}

void loop_forever(Model& /*model*/, Context& context) {
    context.log_info("loops");
    std::signal(SIGTERM, SIG_IGN);
    for (volatile bool goes_on = true; goes_on;) {
    }
}

void wait_for_cancellation(Model& /*model*/, Context& context) {
    context.log_info("waits");
    while (true) {
        context.throw_if_cancelled();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void take_all_memory(Model& /*model*/, Context& context) {
    context.log_info("takes memory");
    std::vector<std::vector<char>> blocks;
    for (int i = 0; i < 4096; ++i) {
        blocks.emplace_back(std::size_t{16} << 20U, 'x');
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

/// Says that it is done, in place of the process it runs in.
void forge_result(Model& /*model*/, Context& context) {
    std::ofstream(context.artefact_directory() / "worker" / "result.json") << "{\"schema\": 1,";
    _exit(0);
}

void report_progress(Model& model, Context& context) {
    std::puts("printed on standard output");
    context.log_warn("careful");
    context.progress(1, 2, "half");
    context.metric("answer", 42);
    std::ofstream(context.artefact_directory() / "note.txt") << "kept";
    scale_weight(model, 2);
}

/// Numbers of ATen's own generator and of the stage's.
void add_noise(Model& model, Context& context) {
    const at::Tensor weight = model.parameter(kWeight);
    const auto shift = static_cast<double>(context.random() % 1000) * 1e-6;
    model.set_parameter(kWeight, weight + at::randn_like(weight) * 0.01 + shift);
}

void flush_to_zero() {
#if defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8040U);
#endif
}

/// What changes the settings of the process, and the network as declared.
Misdeeds leaks() {
    return {{"double-by-default",
             [](Model&, Context&) { c10::set_default_dtype(caffe2::TypeMeta::Make<double>()); }},
            {"threads", [](Model&, Context&) { at::set_num_threads(at::get_num_threads() + 1); }},
            {"gradients", [](Model&, Context&) { at::GradMode::set_enabled(false); }},
            {"flush-to-zero", [](Model&, Context&) { flush_to_zero(); }},
            {"deterministic",
             [](Model&, Context&) {
                 at::globalContext().setDeterministicAlgorithms(
                     !at::globalContext().deterministicAlgorithms(), false);
             }},
            {"folder", [](Model&, Context&) { static_cast<void>(::chdir("/")); }},
            {"locale", [](Model&, Context&) { std::setlocale(LC_ALL, "C.UTF-8"); }}};
}

Misdeeds misdeeds() {
    Misdeeds all = {
        {"nothing", [](Model&, Context&) {}},
        {"nothing-to-do", [](Model&, Context& context) { context.metric("nothing_to_do", 1); }},
        {"scale", [](Model& model, Context&) { scale_weight(model, 2); }},
        {"nan", [](Model& model, Context&) { scale_weight(model, 1e300 * 1e300); }},
        {"classes", &forget_classes},
        {"shape", &break_shape},
        {"noise", &add_noise},
        {"threshold", &lower_threshold},
        {"progress", &report_progress},
        {"throw", [](Model&, Context&) { TORCH_CHECK(false, "no room for it"); }},
        {"throw-int", [](Model&, Context&) { throw 42; }},
        {"undo", [](Model& model, Context& context) { model.assign(context.original()); }},
        {"segfault", &crash},
        {"abort", [](Model&, Context&) { std::abort(); }},
        {"exit", [](Model&, Context&) { _exit(3); }},
        {"exit-well", [](Model&, Context&) { std::exit(0); }},
        {"loop", &loop_forever},
        {"wait", &wait_for_cancellation},
        {"memory", &take_all_memory},
        {"forge", &forge_result}};
    for (const auto& [name, leak] : leaks()) {
        all[name] = [leak = leak](Model& model, Context& context) {
            scale_weight(model, 2);
            leak(model, context);
        };
    }
    return all;
}

class Misbehaves : public topress::Technique {
    void configure(const topress::Params& params) override {
        what_ = params.get<std::string>("what");
        if (what_ == "crash-in-configure") {
            std::raise(SIGSEGV);
        }
    }

    void apply(Model& model, Context& context) override { misdeeds().at(what_)(model, context); }

    std::string what_;
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("fixture.misbehaves", Misbehaves),
               TOPRESS_TECHNIQUE("fixture.declares-little", Misbehaves));
