// Loads LibTorch's CUDA library on demand and counts processor cores.
#include "train/device.hpp"

#include "base/error.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <algorithm>
#include <charconv>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <malloc.h>
#include <sched.h>
#include <set>
#include <thread>
#include <utility>

namespace topress::train {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_unavailable(const std::string& name, const std::string& why) {
    throw Error("device/unavailable",
                "device '" + name + "' cannot be used: " + why,
                name,
                "use --device cpu, or install a driver and a LibTorch with CUDA");
}

// Where libtorch_cpu.so lies, found through a function it holds.
fs::path libtorch_folder() {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &info) == 0 ||
        info.dli_fname == nullptr) {
        return {};
    }
    return fs::path(info.dli_fname).parent_path();
}

// Global, since plugins that launch kernels look their symbols up there; LibTorch registers its
// CUDA operators while being loaded and must then stay, so the handle is never closed.
void load_cuda(const std::string& name) {
    if (c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA)) {
        return;
    }
    const fs::path library = libtorch_folder() / "libtorch_cuda.so";
    if (::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        const char* reason = ::dlerror();
        fail_unavailable(name, reason != nullptr ? reason : "libtorch_cuda.so cannot be loaded");
    }
    if (!c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA)) {
        fail_unavailable(name, "this LibTorch was built without CUDA");
    }
}

// -1 when the text is no device name.
int parse_index(const std::string& name) {
    if (name == "cuda") {
        return 0;
    }
    const std::string prefix = "cuda:";
    if (name.compare(0, prefix.size(), prefix) != 0) {
        return -1;
    }
    int index = -1;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, index);
    return error == std::errc() && stop == end && index < 128 ? index : -1;
}

// Tensors of a training step are megabytes each. By default glibc maps each one anew and returns it
// at once, so every step faults all of its pages again: 20 % of the time of a small ResNet.
void keep_freed_memory() {
#ifdef __GLIBC__
    constexpr int kLargestThresholdBytes = 32 << 20;  // what glibc accepts
    ::mallopt(M_MMAP_THRESHOLD, kLargestThresholdBytes);
    ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

int allowed_threads() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
        return std::max(1, CPU_COUNT(&allowed));
    }
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace

c10::Device open_device(const std::string& name) {
    if (name == "cpu") {
        keep_freed_memory();
        return c10::Device(c10::DeviceType::CPU);
    }
    const int index = parse_index(name);
    if (index < 0) {
        throw Error(
            "device/unknown", "unknown device '" + name + "'", name, "use cpu, cuda or cuda:N");
    }
    load_cuda(name);
    const int count = c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)->deviceCount();
    if (index >= count) {
        fail_unavailable(name, "the driver offers " + std::to_string(count) + " CUDA devices");
    }
    return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
}

int count_physical_cores() {
    std::ifstream file("/proc/cpuinfo");
    std::set<std::pair<int, int>> cores;
    int package = 0;
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos || colon + 2 > line.size()) {
            continue;
        }
        int value = 0;
        const std::string_view text = std::string_view(line).substr(colon + 1);
        const char* first = text.data() + std::min(text.size(), text.find_first_not_of(' '));
        std::from_chars(first, text.data() + text.size(), value);
        if (line.starts_with("physical id")) {
            package = value;
        } else if (line.starts_with("core id")) {
            cores.emplace(package, value);
        }
    }
    const int allowed = allowed_threads();
    return cores.empty() ? allowed : std::min(allowed, static_cast<int>(cores.size()));
}

void set_threads(int threads) {
    at::set_num_threads(threads > 0 ? threads : count_physical_cores());
}

}  // namespace topress::train
