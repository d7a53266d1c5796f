// The host's own build fingerprint: the only part of gating that needs LibTorch's headers.
#include "plugin/host_fingerprint.hpp"

#include <topress/fingerprint.hpp>

namespace topress::plugin {

const topress_fingerprint& host_fingerprint() {
    static constexpr topress_fingerprint kFingerprint = topress::make_fingerprint();
    return kFingerprint;
}

}  // namespace topress::plugin
