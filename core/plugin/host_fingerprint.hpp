// The build fingerprint of this program, to compare those of plugins with.
#pragma once

#include <topress/abi.h>

namespace topress::plugin {

/// Made from the LibTorch headers this program was compiled with; lives as long as the process.
[[nodiscard]] const topress_fingerprint& host_fingerprint();

}  // namespace topress::plugin
