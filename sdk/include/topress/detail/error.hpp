// PluginError, and the two directions in which errors cross the C boundary: call() throws what the
// host reported, guarded() catches everything before it can leave the plugin.
#pragma once

#include <topress/abi.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace topress {

/// A failed operation of a plugin or of the host on its behalf. Throw it to end a stage with a
/// status of your choice; any other exception counts as TOPRESS_ERROR_FAILED.
class PluginError : public std::runtime_error {
  public:
    PluginError(topress_status code, const std::string& message, std::string where = {})
        : std::runtime_error(message), code_(code), where_(std::move(where)) {}

    [[nodiscard]] topress_status code() const noexcept { return code_; }

    /// Node, parameter or function it happened at; may be empty.
    [[nodiscard]] const std::string& where() const noexcept { return where_; }

  private:
    topress_status code_;
    std::string where_;
};

namespace detail {

/// Copies as much as fits, never inside a UTF-8 sequence, zero-terminated.
template <std::size_t Size>
void copy_text(char (&target)[Size], std::string_view text) noexcept {
    std::size_t length = std::min(text.size(), Size - 1);
    while (length < text.size() && length > 0 && (text[length] & '\xC0') == '\x80') {
        --length;
    }
    std::memcpy(target, text.data(), length);
    target[length] = '\0';
}

/// Fills `error` (may be null) and returns `code`.
inline topress_status fail(topress_error* error,
                           topress_status code,
                           std::string_view message,
                           std::string_view where = {}) noexcept {
    if (error != nullptr) {
        error->code = code;
        copy_text(error->message, message);
        copy_text(error->where, where);
    }
    return code;
}

/// LibTorch appends a stack trace to its messages: only the first line is for readers.
inline std::string_view first_line(std::string_view text) noexcept {
    return text.substr(0, text.find('\n'));
}

/// Runs `body` and turns every exception into a status: the barrier that no exception passes.
template <class Body>
topress_status guarded(topress_error* error, Body&& body) noexcept {
    try {
        std::forward<Body>(body)();
        return TOPRESS_OK;
    } catch (const PluginError& e) {
        // A success code in an exception would be taken for success: it is a failure all the same.
        const topress_status code = e.code() == TOPRESS_OK ? TOPRESS_ERROR_FAILED : e.code();
        return fail(error, code, e.what(), e.where());
    } catch (const std::exception& e) {
        return fail(error, TOPRESS_ERROR_FAILED, first_line(e.what()));
    } catch (...) {
        return fail(error, TOPRESS_ERROR_FAILED, "an exception of unknown type was thrown");
    }
}

/// An error object ready to be filled by a callee.
inline topress_error make_error() noexcept {
    topress_error error{};
    error.struct_size = sizeof(topress_error);
    return error;
}

/// Throws the error as PluginError unless `status` is TOPRESS_OK.
inline void throw_if_failed(topress_status status, const topress_error& error) {
    if (status != TOPRESS_OK) {
        throw PluginError(status, error.message, error.where);
    }
}

/// Calls a table entry whose last parameter is topress_error*; throws PluginError when it fails.
template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
    topress_error error = make_error();
    throw_if_failed(function(arguments..., &error), error);
}

}  // namespace detail
}  // namespace topress
