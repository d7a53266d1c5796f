// Finds the library of CUDA graphs, which the program does not link: it runs without CUDA too.
#include "train/step_recorder.hpp"

#include "base/log.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <string>
#include <system_error>

namespace topress::train {
namespace {

using Make = StepRecorder* (*)();

Make find_make() {
    std::error_code failed;
    const std::filesystem::path program =
        std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
    const std::filesystem::path library =
        program.parent_path() / "lib/topress/topress_cuda_graph.so";
    // Never closed: autograd may call into it until the end of the process.
    void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* const symbol =
        handle != nullptr ? ::dlsym(handle, "topress_make_step_recorder") : nullptr;
    if (symbol == nullptr) {
        const char* const reason = ::dlerror();
        log::debug("training steps are launched one operation at a time: " +
                   std::string(reason != nullptr ? reason : library.string()));
    }
    return reinterpret_cast<Make>(symbol);
}

}  // namespace

std::unique_ptr<StepRecorder> make_step_recorder(c10::Device device) {
    if (!device.is_cuda()) {
        return nullptr;
    }
    static const Make make = find_make();
    return std::unique_ptr<StepRecorder>(make != nullptr ? make() : nullptr);
}

}  // namespace topress::train
