// Exit statuses by diagnostic area, and the failure of an assertion.
#include "base/error.hpp"

#include <array>
#include <utility>

namespace topress {

namespace {

constexpr std::array<std::pair<std::string_view, ExitStatus>, 7> kStatusOfArea = {{
    {"config", ExitStatus::Configuration},
    {"explore", ExitStatus::Configuration},
    {"usage", ExitStatus::Usage},
    {"plugin", ExitStatus::Plugin},
    {"order", ExitStatus::NoValidOrder},
    {"device", ExitStatus::Device},
    {"internal", ExitStatus::Internal},
}};

}  // namespace

ExitStatus exit_status_of(std::string_view code) {
    if (code == "run/interrupted") {
        return ExitStatus::Interrupted;
    }
    const std::string_view area = code.substr(0, code.find('/'));
    for (const auto& [name, status] : kStatusOfArea) {
        if (name == area) {
            return status;
        }
    }
    return ExitStatus::RunFailed;
}

void assertion_failed(const char* expression, const char* file, int line) {
    throw Error("internal/assertion",
                std::string("assertion '") + expression + "' does not hold",
                std::string(file) + ":" + std::to_string(line),
                "this is a bug in topress, please report it with the command that led here");
}

}  // namespace topress
