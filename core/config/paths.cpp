// Paths of a configuration -> absolute paths.
#include "config/paths.hpp"

#include <algorithm>
#include <system_error>
#include <variant>
#include <vector>

namespace topress::config {

namespace {

namespace fs = std::filesystem;

std::string anchored(const std::string& text, const fs::path& folder) {
    std::error_code error;
    const fs::path path = folder / text;
    const fs::path absolute = fs::absolute(path, error);
    return (error ? path : absolute).lexically_normal().string();
}

bool is_path(const std::string& text, PathKind kind) {
    return !text.empty() && (kind == PathKind::Path || text.find('/') != std::string::npos ||
                             text.ends_with(".toml"));
}

}  // namespace

bool is_override(const Location& where) {
    return where.file.starts_with("--set ");
}

std::string anchored_path(const std::string& path, const Location& where) {
    return anchored(path, is_override(where) ? fs::path() : fs::path(where.file).parent_path());
}

void anchor(ParameterValue& value, PathKind kind, const fs::path& folder) {
    const auto anchor_one = [&](std::string& text) {
        if (is_path(text, kind)) {
            text = anchored(text, folder);
        }
    };
    if (auto* text = std::get_if<std::string>(&value)) {
        anchor_one(*text);
    } else if (auto* list = std::get_if<std::vector<std::string>>(&value)) {
        std::for_each(list->begin(), list->end(), anchor_one);
    }
}

}  // namespace topress::config
