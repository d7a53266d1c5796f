// Handles: caches of networks, the random stream of a stage, exceptions as statuses.
#include "plugin/host_objects.hpp"

#include "base/diagnostic.hpp"
#include "base/error.hpp"
#include "plugin/advice.hpp"

#include <cstring>
#include <new>

const std::vector<topress::network::ChannelGroup>& topress_model::groups() const {
    if (!groups_) {
        groups_ = topress::network::find_channel_groups(network);
    }
    return *groups_;
}

const std::map<std::string, topress::network::Shape>& topress_model::shapes() const {
    if (!shapes_) {
        shapes_ = topress::network::infer_shapes(network);
    }
    return *shapes_;
}

const topress::network::Cost& topress_model::cost() const {
    if (!cost_) {
        cost_ = topress::network::cost_of(network);
    }
    return *cost_;
}

topress::network::Network& topress_model::edit() {
    if (read_only) {
        topress::plugin::reject("the original network must not be changed: work on a clone of it");
    }
    groups_.reset();
    shapes_.reset();
    cost_.reset();
    return network;
}

namespace topress::plugin {

namespace {

// FNV-1a: any change of the label gives another stream; not a content hash.
std::uint64_t hash_label(std::string_view label) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const char character : label) {
        hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001B3ULL;
    }
    return hash;
}

bool starts_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

topress_status status_of(std::string_view code) noexcept {
    if (code == "run/interrupted") {
        return TOPRESS_ERROR_CANCELLED;
    }
    if (starts_with(code, "network/unknown-")) {
        return TOPRESS_ERROR_NOT_FOUND;
    }
    if (code == "network/bad-file") {
        return TOPRESS_ERROR_FAILED;
    }
    if (code == "zoo/no-family") {
        return TOPRESS_ERROR_UNSUPPORTED;
    }
    if (starts_with(code, "network/") || starts_with(code, "zoo/")) {
        return TOPRESS_ERROR_INVALID_ARGUMENT;
    }
    return TOPRESS_ERROR_FAILED;
}

thread_local at::Device current_device = at::Device(at::kCPU);

}  // namespace

topress_status report_current_exception(topress_error* error) noexcept {
    using detail::fail;
    try {
        throw;
    } catch (const PluginError& e) {  // a rejected argument, or what a callback reported
        return fail(error, e.code(), e.what(), e.where());
    } catch (const Error& e) {
        const topress_status status =
            fail(error, status_of(e.code()), e.code() + ": " + e.what(), e.where());
        if (error != nullptr) {
            remember_advice(error->message, e.hint());
        }
        return status;
    } catch (const DiagnosticError& e) {
        return fail(error, TOPRESS_ERROR_FAILED, detail::first_line(e.what()));
    } catch (const std::bad_alloc&) {
        return fail(error, TOPRESS_ERROR_FAILED, "out of memory");
    } catch (const std::exception& e) {
        return fail(error, TOPRESS_ERROR_FAILED, detail::first_line(e.what()));
    } catch (...) {
        return fail(error, TOPRESS_ERROR_FAILED, "an exception of unknown type in the host");
    }
}

void reject(const std::string& message, std::string where) {
    throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT, message, std::move(where));
}

std::string required_text(const char* text, const char* what) {
    return &required(text, what);
}

std::uint64_t next_random(std::uint64_t& state) noexcept {
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31U);
}

at::Device stage_device() noexcept {
    return current_device;
}

StageDevice::StageDevice(at::Device device) noexcept : before_(current_device) {
    current_device = device;
}

StageDevice::~StageDevice() {
    current_device = before_;
}

at::Device device_of(const network::Network& network) {
    return network.parameters().empty() ? stage_device()
                                        : network.parameters().front().tensor.device();
}

}  // namespace topress::plugin

topress_run::topress_run(topress::plugin::StageServices& stage_services,
                         const topress::network::Network& stage_original)
    : services(stage_services),
      original(stage_original),
      generator(stage_services.seed ^ topress::plugin::hash_label(stage_services.label)),
      directory(stage_services.artefact_directory.string()) {
    // Seeds that differ in a few bits start far apart.
    generator = topress::plugin::next_random(generator);
}
