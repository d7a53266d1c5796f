// TOML file -> RunConfig, with every mistake found in one pass.
#pragma once

#include "base/diagnostic.hpp"
#include "config/run_config.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace topress::config {

/// What the caller knows and the configuration may name.
struct LoadOptions {
    /// The families of core/zoo, which this folder cannot see; a test holds them equal.
    std::vector<std::string> architectures = {"resnet", "vgg", "mobilenetv2", "densenet"};
};

/// `config` is meaningful if ok(); warnings may remain.
struct LoadResult {
    RunConfig config;
    Diagnostics diagnostics;

    [[nodiscard]] bool ok() const { return !has_errors(diagnostics); }
};

/// Reads and validates a configuration; `overrides` ("train.batch_size=64", of --set) win over the
/// file. A value is read as TOML; a bare word is a string. Paths in the file are relative to the
/// file, paths in an override to the current folder. Parameters of techniques are only read, not
/// validated: their schema belongs to the plugins. Throws nothing: also an unreadable file is a
/// diagnostic (config/cannot-read).
[[nodiscard]] LoadResult load(const std::filesystem::path& path,
                              const std::vector<std::string>& overrides = {},
                              const LoadOptions& options = {});

/// The same for a text in memory; `path` names it in diagnostics and anchors relative paths.
[[nodiscard]] LoadResult load_text(std::string_view text,
                                   const std::filesystem::path& path,
                                   const std::vector<std::string>& overrides = {},
                                   const LoadOptions& options = {});

}  // namespace topress::config
