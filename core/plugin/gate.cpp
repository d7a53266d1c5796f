// ABI major must be equal, ABI minor not newer, the fingerprint the same.
#include "plugin/gate.hpp"

#include "plugin/fingerprint.hpp"

namespace topress::plugin {

namespace {

std::string version_text(std::uint32_t major, std::uint32_t minor) {
    return "plugin ABI " + std::to_string(major) + "." + std::to_string(minor);
}

Refusal refuse_major(const std::string& found) {
    return {"plugin/abi-major",
            "the plugin speaks another major version of the plugin ABI",
            found,
            version_text(TOPRESS_ABI_MAJOR, TOPRESS_ABI_MINOR),
            "the major versions are equal",
            "build the plugin against the SDK of this topress, or get a version made for it"};
}

Refusal refuse_minor(const std::string& found) {
    return {"plugin/abi-minor",
            "the plugin is newer than this topress",
            found,
            "at most " + version_text(TOPRESS_ABI_MAJOR, TOPRESS_ABI_MINOR),
            "the plugin's minor version is not above the program's",
            "update topress, or build the plugin against the SDK of this one"};
}

std::string join(const std::vector<FingerprintDifference>& differences,
                 std::string FingerprintDifference::* member) {
    std::string text;
    for (const FingerprintDifference& difference : differences) {
        text += (text.empty() ? "" : ", ") + difference.field + " " + difference.*member;
    }
    return text;
}

Refusal refuse_fingerprint(const std::vector<FingerprintDifference>& differences) {
    return {"plugin/fingerprint-mismatch",
            "the plugin was built with another LibTorch or C++ library",
            join(differences, &FingerprintDifference::found),
            join(differences, &FingerprintDifference::expected),
            "tensors are shared, so their layout must be the same on both sides",
            "build the plugin again with the LibTorch and compiler settings of this topress"};
}

}  // namespace

std::optional<Refusal> check_build(std::uint32_t abi_major,
                                   std::uint32_t abi_minor,
                                   const topress_fingerprint& plugin,
                                   const topress_fingerprint& host) {
    if (abi_major != TOPRESS_ABI_MAJOR) {
        return refuse_major(version_text(abi_major, abi_minor));
    }
    if (abi_minor > TOPRESS_ABI_MINOR) {
        return refuse_minor(version_text(abi_major, abi_minor));
    }
    const auto differences = compare_fingerprints(plugin, host);
    if (!differences.empty()) {
        return refuse_fingerprint(differences);
    }
    return std::nullopt;
}

}  // namespace topress::plugin
