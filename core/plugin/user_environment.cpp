// Reading the environment, unless it belongs to somebody with fewer rights.
#include "plugin/user_environment.hpp"

#include <cstdlib>
#include <sys/auxv.h>

namespace topress::plugin {

namespace fs = std::filesystem;

UserEnvironment UserEnvironment::of_process() {
    return {[](const char* name) -> const char* { return std::getenv(name); },
            ::getauxval(AT_SECURE) != 0};
}

std::string UserEnvironment::given(const char* name) const {
    const char* text = getter_(name);
    return text == nullptr ? std::string() : std::string(text);
}

std::string UserEnvironment::value(const char* name) const {
    return is_secure_ ? std::string() : given(name);
}

fs::path UserEnvironment::folder(const char* variable, const char* below_home) const {
    const fs::path named = value(variable);
    if (named.is_absolute()) {
        return named;
    }
    const fs::path home = value("HOME");
    return home.is_absolute() ? home / below_home : fs::path();
}

fs::path UserEnvironment::data_folder() const {
    return folder("XDG_DATA_HOME", ".local/share");
}

fs::path UserEnvironment::config_folder() const {
    return folder("XDG_CONFIG_HOME", ".config");
}

fs::path UserEnvironment::cache_folder() const {
    return folder("XDG_CACHE_HOME", ".cache");
}

}  // namespace topress::plugin
