// What is behind the opaque handles: networks, readers and the running stage; checks of what
// crosses.
#pragma once

#include "data/batches.hpp"
#include "network/channels.hpp"
#include "network/cost.hpp"
#include "network/graph.hpp"
#include "network/operators.hpp"
#include "plugin/host_stage.hpp"

#include <topress/abi.h>
#include <topress/detail/error.hpp>

#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A network as a plugin holds it. What was computed from its structure is kept until the next
/// edit.
struct topress_model {
    explicit topress_model(topress::network::Network contents, bool is_read_only = false)
        : network(std::move(contents)), read_only(is_read_only) {}

    [[nodiscard]] const std::vector<topress::network::ChannelGroup>& groups() const;
    [[nodiscard]] const std::map<std::string, topress::network::Shape>& shapes() const;
    [[nodiscard]] const topress::network::Cost& cost() const;

    /// The network to be changed. Throws PluginError{INVALID_ARGUMENT} for the original.
    [[nodiscard]] topress::network::Network& edit();

    topress::network::Network network;
    bool read_only;

  private:
    mutable std::optional<std::vector<topress::network::ChannelGroup>> groups_;
    mutable std::optional<std::map<std::string, topress::network::Shape>> shapes_;
    mutable std::optional<topress::network::Cost> cost_;
};

/// Batches being read, for one device.
struct topress_reader {
    topress::data::BatchReader batches;
    at::Device device;
};

/// The stage that is running.
struct topress_run {
    topress_run(topress::plugin::StageServices& stage_services,
                const topress::network::Network& stage_original);

    topress::plugin::StageServices& services;
    const topress::network::Network& original;
    std::uint64_t generator;          ///< state of the stage's random stream
    std::string directory;            ///< borrowed by artefact_directory
    std::vector<double> exit_shares;  ///< borrowed from the last evaluate
};

namespace topress::plugin {

/// What the current exception means at the boundary: fills `error`, returns its code.
topress_status report_current_exception(topress_error* error) noexcept;

/// Runs `body` behind the barrier that no exception of the host passes.
template <class Body>
topress_status guard_host(topress_error* error, Body&& body) noexcept {
    try {
        std::forward<Body>(body)();
        return TOPRESS_OK;
    } catch (...) {
        return report_current_exception(error);
    }
}

/// Throws PluginError{INVALID_ARGUMENT}.
[[noreturn]] void reject(const std::string& message, std::string where = {});

/// A pointer that must not be null, as a reference.
template <class T>
T& required(T* pointer, const char* what) {
    if (pointer == nullptr) {
        reject(std::string(what) + " is a null pointer");
    }
    return *pointer;
}

/// A text that must be there.
[[nodiscard]] std::string required_text(const char* text, const char* what);

/// A struct of the boundary that must be there and as large as this host knows it.
template <class T>
T& required_struct(T* pointer, const char* what) {
    if (required(pointer, what).struct_size < sizeof(T)) {
        reject(std::string(what) + " has struct_size " + std::to_string(pointer->struct_size) +
               ", at least " + std::to_string(sizeof(T)) + " is needed");
    }
    return *pointer;
}

/// The next number of a splitmix64 stream. Source: Steele, Lea, Flood 2014.
[[nodiscard]] std::uint64_t next_random(std::uint64_t& state) noexcept;

/// Where the networks of the stage that runs on this thread are; the CPU outside of a stage.
[[nodiscard]] at::Device stage_device() noexcept;

/// Sets stage_device() for its own lifetime.
class StageDevice {
  public:
    explicit StageDevice(at::Device device) noexcept;
    ~StageDevice();
    StageDevice(const StageDevice&) = delete;
    StageDevice& operator=(const StageDevice&) = delete;

  private:
    at::Device before_;
};

/// Where a network's parameters are.
[[nodiscard]] at::Device device_of(const network::Network& network);

}  // namespace topress::plugin
