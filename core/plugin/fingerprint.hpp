// May host and plugin share C++ objects? Compares two build fingerprints field by field.
#pragma once

#include <topress/abi.h>

#include <string>
#include <vector>

namespace topress::plugin {

/// One field that differs, as text.
struct FingerprintDifference {
    std::string field;     ///< "LibTorch version"
    std::string found;     ///< the plugin's
    std::string expected;  ///< this program's
};

/// Empty: they agree. A fingerprint with a struct_size below ours differs in "fingerprint size".
[[nodiscard]] std::vector<FingerprintDifference> compare_fingerprints(
    const topress_fingerprint& plugin, const topress_fingerprint& host);

}  // namespace topress::plugin
