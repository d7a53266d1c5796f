// Environment variables and the user's folders, as far as they may be believed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace topress::plugin {

/// What the user's environment says. In a program that runs with more rights than its caller
/// (set-user-id, file capabilities: AT_SECURE) it says nothing: the caller wrote it.
class UserEnvironment {
  public:
    using Getter = std::function<const char*(const char* name)>;

    /// Of the running process.
    [[nodiscard]] static UserEnvironment of_process();

    UserEnvironment(Getter getter, bool is_secure)
        : getter_(std::move(getter)), is_secure_(is_secure) {}

    /// AT_SECURE: the environment is ignored.
    [[nodiscard]] bool is_secure() const { return is_secure_; }

    /// The value as it was given, also when it is ignored; empty if unset.
    [[nodiscard]] std::string given(const char* name) const;
    /// The value to be used; empty if unset or ignored.
    [[nodiscard]] std::string value(const char* name) const;

    /// Folders by the XDG Base Directory Specification; empty if there is none. A relative value of
    /// the variable is ignored, as the specification demands.
    [[nodiscard]] std::filesystem::path data_folder() const;
    [[nodiscard]] std::filesystem::path config_folder() const;
    [[nodiscard]] std::filesystem::path cache_folder() const;

  private:
    [[nodiscard]] std::filesystem::path folder(const char* variable, const char* below_home) const;

    Getter getter_;
    bool is_secure_;
};

}  // namespace topress::plugin
