// Version texts; the program's comes from CMake.
#include "pipeline/version.hpp"

#include "plugin/host_fingerprint.hpp"

#include <topress/abi.h>

namespace topress::pipeline {

std::string program_version() {
    return TOPRESS_VERSION;
}

std::string torch_version() {
    return plugin::host_fingerprint().torch_version;
}

std::string abi_version() {
    return std::to_string(TOPRESS_ABI_MAJOR) + "." + std::to_string(TOPRESS_ABI_MINOR);
}

}  // namespace topress::pipeline
