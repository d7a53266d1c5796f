// What the parts of the plugin.toml reader share: checked keys, located mistakes. For this folder.
#pragma once

#include "base/diagnostic.hpp"
#include "config/tree.hpp"
#include "plugin/metadata.hpp"
#include "plugin/metadata_schema.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace topress::plugin {

/// The validated plain keys of one table, with defaults; typed access that cannot fail.
class Keys {
  public:
    explicit Keys(config::Parameters values) : values_(std::move(values)) {}

    template <class T>
    [[nodiscard]] T get(const std::string& name) const {
        return std::get<T>(values_.at(name).value);
    }

    [[nodiscard]] std::string text(const std::string& name) const { return get<std::string>(name); }

    [[nodiscard]] std::vector<std::string> names(const std::string& name) const;
    [[nodiscard]] std::optional<double> number(const std::string& name) const;

    [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }

    /// The place of a value, or `otherwise` for one that was not given.
    [[nodiscard]] Location where(const std::string& name, const Location& otherwise) const;

  private:
    config::Parameters values_;
};

/// Collects the mistakes of one file as plugin/bad-metadata.
class Mistakes {
  public:
    Mistakes(std::string file, Diagnostics& diagnostics)
        : file_(std::move(file)), diagnostics_(diagnostics) {}

    [[nodiscard]] const std::string& file() const { return file_; }

    void add(std::string message, Location where, std::string hint);
    /// Takes over what config/ found; it is worded for keys and values in general.
    void add_all(Diagnostics found);

    /// Nothing if a key is unknown, missing or wrong.
    std::optional<Keys> read_keys(const config::Tree& tree,
                                  const Specs& specs,
                                  const std::string& owner);
    void check_tables(const std::vector<config::Tree>& tables,
                      const std::vector<std::string>& known,
                      const std::string& owner);
    void check_each(const std::vector<std::string>& names,
                    const Location& where,
                    bool (*is_right)(const std::string&),
                    const std::string& what,
                    const std::string& hint);
    void check_resources(const std::vector<std::string>& names, const Location& where);

  private:
    std::string file_;
    Diagnostics& diagnostics_;
};

/// The parameters of a technique, in the order of the file, with their `required_if`.
[[nodiscard]] std::vector<config::ParameterSpec> read_parameters(const config::Tree& tree,
                                                                 Mistakes& mistakes);

/// [technique.effect]. Requires: all specs are read.
[[nodiscard]] std::optional<Effect> read_effect(const config::Tree& tree,
                                                const std::vector<config::ParameterSpec>& specs,
                                                Mistakes& mistakes);

/// The condition in a table with `parameter` and one of `is`, `is_not`, on one of `specs`; the
/// parameter called `self` does not count. Requires: all specs are read.
[[nodiscard]] std::optional<config::Condition> read_condition(
    const config::Tree& table,
    const std::vector<config::ParameterSpec>& specs,
    const std::string& owner,
    Mistakes& mistakes,
    const std::string& self = {});

}  // namespace topress::plugin
