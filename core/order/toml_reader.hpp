// What the readers of rule and evidence files share: keys, types and places of one TOML file, with
// every mistake collected.
#pragma once

#include "base/diagnostic.hpp"

#include <toml++/toml.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace topress::order {

/// How a kind of file speaks of itself in messages.
struct TomlKind {
    std::string file;     ///< "rule file"
    std::string row;      ///< "rule"
    std::string setting;  ///< where such files are named: "[order] rules"
    std::string code;     ///< the one code of all its mistakes; empty: config/... as it fits
};

/// One file and what is wrong with it.
class TomlReader {
  public:
    TomlReader(const std::filesystem::path& path, TomlKind kind);

    /// The parsed file. Throws: DiagnosticError (config/cannot-read, config/syntax or the code of
    /// the kind).
    [[nodiscard]] toml::table parse() const;

    /// Reports keys that are not `allowed`, with the nearest.
    void check_keys(const toml::table& table, const std::vector<std::string>& allowed);
    void check_schema(const toml::table& document);

    /// The string of a key; empty if it is absent or wrong, which is then reported.
    [[nodiscard]] std::string text(const toml::table& table, const char* key, bool required);
    /// One string or a list of them.
    [[nodiscard]] std::vector<std::string> texts(const toml::table& table, const char* key);
    /// A finite number.
    [[nodiscard]] std::optional<double> number(const toml::table& table, const char* key);
    /// The tables of [[key]]; with `required` at least one.
    [[nodiscard]] std::vector<const toml::table*> rows(const toml::table& document,
                                                       const char* key,
                                                       bool required);

    Diagnostic& add(const char* code, std::string message, const toml::source_region& at);
    [[nodiscard]] Location place(const toml::source_region& at) const;

    [[nodiscard]] Diagnostics& findings() { return findings_; }

  private:
    [[nodiscard]] std::string code_or(const char* code) const;
    void report_missing(const toml::table& table, const std::string& key, const char* example);

    std::string file_;
    TomlKind kind_;
    Diagnostics findings_;
};

}  // namespace topress::order
