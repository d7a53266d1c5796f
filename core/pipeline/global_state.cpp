// Global settings and generators.
#include "pipeline/global_state.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>

#include <clocale>
#include <filesystem>
#include <mutex>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace topress::pipeline {
namespace {

#if defined(__SSE__)
constexpr std::uint32_t kControlBits = 0xFFC0;  // without the sticky exception flags

std::uint32_t read_float_mode() {
    return _mm_getcsr() & kControlBits;
}

void write_float_mode(std::uint32_t mode) {
    _mm_setcsr((_mm_getcsr() & ~kControlBits) | mode);
}
#else
std::uint32_t read_float_mode() {
    return 0;
}

void write_float_mode(std::uint32_t) {}
#endif

Diagnostic moved(const std::string& label, const std::string& what) {
    Diagnostic diagnostic;
    diagnostic.code = "check/global-state";
    diagnostic.message = "stage '" + label + "' left " + what + " changed; it was set back";
    diagnostic.hint =
        "the plugin's author must restore what it changes for the whole process, also when it "
        "throws";
    return diagnostic;
}

std::string current_folder() {
    std::error_code gone;
    return std::filesystem::current_path(gone).string();
}

std::string current_locale() {
    const char* name = std::setlocale(LC_ALL, nullptr);
    return name == nullptr ? "C" : name;
}

std::uint64_t mixed(std::uint64_t seed, const std::string& label) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: the same on every machine
    for (const char letter : label) {
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
    }
    return seed ^ hash;
}

}  // namespace

GlobalState read_global_state() {
    GlobalState state;
    state.gradients = at::GradMode::is_enabled();
    state.default_type = static_cast<int>(c10::get_default_dtype_as_scalartype());
    state.threads = at::get_num_threads();
    state.deterministic = at::globalContext().deterministicAlgorithms();
    state.float_mode = read_float_mode();
    state.folder = current_folder();
    state.locale = current_locale();
    return state;
}

Diagnostics restore_global_state(const GlobalState& wanted, const std::string& label) {
    Diagnostics found;
    const GlobalState now = read_global_state();
    if (now.gradients != wanted.gradients) {
        found.push_back(moved(label, "the gradient mode"));
        at::GradMode::set_enabled(wanted.gradients);
    }
    if (now.default_type != wanted.default_type) {
        found.push_back(moved(label, "the default data type"));
        const auto type = static_cast<at::ScalarType>(wanted.default_type);
        c10::set_default_dtype(c10::scalarTypeToTypeMeta(type));
    }
    if (now.threads != wanted.threads) {
        found.push_back(moved(label, "the number of threads"));
        at::set_num_threads(wanted.threads);
    }
    if (now.deterministic != wanted.deterministic) {
        found.push_back(moved(label, "the choice of deterministic algorithms"));
        at::globalContext().setDeterministicAlgorithms(wanted.deterministic, false);
    }
    if (now.float_mode != wanted.float_mode) {
        found.push_back(moved(label, "the rounding mode of the processor"));
        write_float_mode(wanted.float_mode);
    }
    if (now.folder != wanted.folder) {
        found.push_back(moved(label, "the current directory"));
        std::error_code gone;
        std::filesystem::current_path(wanted.folder, gone);
    }
    if (now.locale != wanted.locale) {
        found.push_back(moved(label, "the locale"));
        std::setlocale(LC_ALL, wanted.locale.c_str());
    }
    return found;
}

StageRandomness::StageRandomness(std::uint64_t seed, const std::string& label, c10::Device device) {
    std::vector<at::Generator> generators = {at::globalContext().defaultGenerator(at::kCPU)};
    if (!device.is_cpu()) {
        generators.push_back(at::globalContext().defaultGenerator(device));
    }
    for (at::Generator& generator : generators) {
        const std::lock_guard lock(generator.mutex());
        before_.emplace_back(generator, generator.get_state());
        generator.set_current_seed(mixed(seed, label));
    }
}

StageRandomness::~StageRandomness() {
    for (auto& [generator, state] : before_) {
        const std::lock_guard lock(generator.mutex());
        generator.set_state(state);
    }
}

}  // namespace topress::pipeline
