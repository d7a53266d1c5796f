// One failure of the host and its advice, for each thread.
#include "plugin/advice.hpp"

#include <exception>

namespace topress::plugin {
namespace {

struct Failure {
    std::string message;
    std::string advice;
};

thread_local Failure last_failure;

}  // namespace

void remember_advice(std::string_view message, std::string_view advice) noexcept {
    try {
        last_failure = {std::string(message), std::string(advice)};
    } catch (const std::exception&) {
        last_failure.advice.clear();  // no memory: a failure without advice is still told
    }
}

std::string advice_for(std::string_view message) {
    const bool passes_it_on = !last_failure.message.empty() &&
                              message.find(last_failure.message) != std::string_view::npos;
    return passes_it_on ? last_failure.advice : std::string();
}

}  // namespace topress::plugin
