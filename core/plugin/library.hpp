// A loaded plugin (opened once, gated again from the inside, never unloaded) and instances of its
// techniques.
#pragma once

#include "config/parameter.hpp"
#include "plugin/catalog.hpp"

#include <topress/abi.h>

#include <filesystem>
#include <string>

namespace topress::plugin {

/// An initialised plugin. Copies share it; the library itself stays in the process for good.
class Library {
  public:
    /// Opens the file of a loadable entry and calls its init; the second time, gives the same
    /// again. Requires: `host` and `fingerprint` live as long as the process. Throws:
    /// Error{plugin/cannot-load, missing-symbol, bad-entry, abi-major, abi-minor,
    ///         fingerprint-mismatch, metadata-mismatch, init-failed, missing-interface,
    ///         changes-float-mode, changes-process-state}; for a refused entry DiagnosticError with
    ///         the refusal.
    /// Thread: main.
    [[nodiscard]] static Library load(const CatalogEntry& entry,
                                      const topress_host& host,
                                      const topress_fingerprint& fingerprint);

    [[nodiscard]] const std::string& plugin_id() const { return id_; }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    [[nodiscard]] const topress_techniques_v1& techniques() const { return *techniques_; }

    /// Tells the plugin to stop its own threads, if it has such a function.
    void quiesce() const;

  private:
    Library() = default;

    std::string id_;
    std::filesystem::path path_;
    const topress_entry* entry_ = nullptr;
    const topress_techniques_v1* techniques_ = nullptr;
};

/// Owns an object inside a plugin. Every failure becomes an Error whose message starts with the
/// technique id and whose `where` is the place the plugin named.
class TechniqueObject {
  public:
    /// Throws: Error{plugin/create-failed}.
    TechniqueObject(const Library& library, const std::string& technique_id);
    /// The same over a table, for plugins linked into a test.
    TechniqueObject(const topress_techniques_v1& table, const std::string& technique_id);
    ~TechniqueObject();
    TechniqueObject(TechniqueObject&& other) noexcept;
    TechniqueObject& operator=(TechniqueObject&& other) noexcept;
    TechniqueObject(const TechniqueObject&) = delete;
    TechniqueObject& operator=(const TechniqueObject&) = delete;

    [[nodiscard]] const std::string& technique_id() const { return id_; }

    /// Hands over all parameters. Requires: validated, defaults filled in.
    /// Throws: Error{plugin/configure-failed}.
    void configure(const config::Parameters& parameters);

    /// Works on stage.model in place.
    /// Throws: Error{plugin/apply-failed}, {run/interrupted} when the plugin saw the cancellation.
    void apply(const topress_stage& stage);

  private:
    const topress_techniques_v1* table_ = nullptr;
    topress_technique* object_ = nullptr;
    std::string id_;
};

}  // namespace topress::plugin
