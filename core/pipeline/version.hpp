// Versions of the program and of what it is linked with.
#pragma once

#include <string>

namespace topress::pipeline {

/// "0.1.0".
[[nodiscard]] std::string program_version();
/// Of LibTorch, "2.11.0".
[[nodiscard]] std::string torch_version();
/// Of the plugin boundary, "1.0".
[[nodiscard]] std::string abi_version();

}  // namespace topress::pipeline
