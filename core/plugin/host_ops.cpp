// topress.ops/1: implementations of built-in operators that plugins offer: checked, then used.
#include "base/log.hpp"
#include "network/operators.hpp"
#include "plugin/host_objects.hpp"
#include "plugin/host_operators.hpp"
#include "plugin/host_ops_check.hpp"
#include "plugin/host_tables.hpp"
#include "plugin/operator_offers.hpp"

#include <topress/tensor.hpp>

#include <ATen/ATen.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace topress::plugin {

namespace {

using network::ExitGate;
using network::QuantizeImplementation;

std::atomic<std::uint64_t> quantize_offers = 0;
std::atomic<std::uint64_t> exit_gate_offers = 0;
std::atomic<std::uint64_t> quantize_uses = 0;
std::atomic<std::uint64_t> exit_gate_uses = 0;

/// False when the implementation does not handle the case: the built-in answers then.
bool handled(topress_status status, const topress_error& error) {
    if (status == TOPRESS_ERROR_UNSUPPORTED) {
        return false;
    }
    detail::throw_if_failed(status, error);
    return true;
}

QuantizeImplementation to_functions(const topress_quantize_implementation& table) {
    QuantizeImplementation result;
    result.forward = [table](const at::Tensor& x,
                             const at::Tensor& scale,
                             std::int64_t low,
                             std::int64_t high,
                             std::int64_t axis) {
        at::Tensor y;
        topress_error error = detail::make_error();
        const topress_status status =
            table.forward(to_handle(x), to_handle(scale), low, high, axis, to_handle(y), &error);
        return handled(status, error)
                   ? y
                   : network::builtin_quantize().forward(x, scale, low, high, axis);
    };
    result.backward = [table](const at::Tensor& grad_y,
                              const at::Tensor& x,
                              const at::Tensor& scale,
                              std::int64_t low,
                              std::int64_t high,
                              std::int64_t axis,
                              double factor) {
        std::pair<at::Tensor, at::Tensor> gradients;
        topress_error error = detail::make_error();
        const topress_status status = table.backward(to_handle(grad_y),
                                                     to_handle(x),
                                                     to_handle(scale),
                                                     low,
                                                     high,
                                                     axis,
                                                     factor,
                                                     to_handle(gradients.first),
                                                     to_handle(gradients.second),
                                                     &error);
        return handled(status, error) ? gradients
                                      : network::builtin_quantize().backward(
                                            grad_y, x, scale, low, high, axis, factor);
    };
    return result;
}

ExitGate to_function(const topress_exit_gate_implementation& table) {
    return [table](const at::Tensor& logits, std::string_view criterion, double threshold) {
        std::pair<at::Tensor, at::Tensor> indices;
        topress_error error = detail::make_error();
        const std::string name(criterion);
        const topress_status status = table.gate(to_handle(logits),
                                                 name.c_str(),
                                                 threshold,
                                                 to_handle(indices.first),
                                                 to_handle(indices.second),
                                                 &error);
        return handled(status, error) ? indices
                                      : network::builtin_exit_gate()(logits, criterion, threshold);
    };
}

/// An offered implementation was compared with the built-in on the CPU when it was offered; on any
/// other kind of device that happens at its first use there, and a disagreement means the built-in.
template <class Implementation>
class Verdicts {
  public:
    Verdicts(Implementation offered, const char* name)
        : offered_(std::move(offered)), name_(name) {}

    [[nodiscard]] const Implementation& offered() const { return offered_; }

    /// May the implementation be used for this tensor? [any thread]
    [[nodiscard]] bool allow(const at::Tensor& tensor) {
        if (tensor.scalar_type() != at::kFloat) {
            return false;
        }
        if (tensor.is_cpu()) {
            return true;
        }
        const std::lock_guard lock(mutex_);
        const auto known = verdicts_.find(tensor.device().type());
        return known != verdicts_.end() ? known->second : judge(tensor.device());
    }

  private:
    bool judge(at::Device device) {
        topress_error error = detail::make_error();
        std::string found;
        guard_host(&error, [&] { found = find_disagreement(offered_, device); });
        if (error.code != TOPRESS_OK) {
            found = error.message;
        }
        if (!found.empty()) {
            log::warn("the built-in '" + std::string(name_) + "' is used on " + device.str() +
                      ": the plugin's implementation disagrees there: " + found);
        }
        return verdicts_.emplace(device.type(), found.empty()).first->second;
    }

    Implementation offered_;
    const char* name_;
    std::mutex mutex_;
    std::map<at::DeviceType, bool> verdicts_;
};

/// The functions that the network calls: the offered ones where allowed, else the built-in ones.
QuantizeImplementation to_checked(QuantizeImplementation offered) {
    const auto verdicts =
        std::make_shared<Verdicts<QuantizeImplementation>>(std::move(offered), "quantize");
    const auto choose = [verdicts](const at::Tensor& x) -> const QuantizeImplementation& {
        if (!verdicts->allow(x)) {
            return network::builtin_quantize();
        }
        ++quantize_uses;
        return verdicts->offered();
    };
    QuantizeImplementation result;
    result.forward = [choose](const at::Tensor& x, const auto&... rest) {
        return choose(x).forward(x, rest...);
    };
    result.backward = [choose](const at::Tensor& grad_y, const at::Tensor& x, const auto&... rest) {
        return choose(x).backward(grad_y, x, rest...);
    };
    return result;
}

ExitGate to_checked(ExitGate offered) {
    const auto verdicts = std::make_shared<Verdicts<ExitGate>>(std::move(offered), "exit gate");
    return [verdicts](const at::Tensor& logits, std::string_view criterion, double threshold) {
        if (!verdicts->allow(logits)) {
            return network::builtin_exit_gate()(logits, criterion, threshold);
        }
        ++exit_gate_uses;
        return verdicts->offered()(logits, criterion, threshold);
    };
}

template <class Implementation>
void require_agreement(const Implementation& offered, const char* name) {
    const std::string found = find_disagreement(offered, at::kCPU);
    if (!found.empty()) {
        throw PluginError(
            TOPRESS_ERROR_FAILED, "the implementation disagrees with the built-in: " + found, name);
    }
}

topress_status implement_quantize(const topress_quantize_implementation* table,
                                  topress_error* error) noexcept {
    return guard_host(error, [&] {
        required(required_struct(table, "implementation").forward, "forward");
        required(table->backward, "backward");
        QuantizeImplementation offered = to_functions(*table);
        require_agreement(offered, "quantize");
        network::set_quantize_implementation(to_checked(std::move(offered)));
        ++quantize_offers;
    });
}

topress_status implement_exit_gate(const topress_exit_gate_implementation* table,
                                   topress_error* error) noexcept {
    return guard_host(error, [&] {
        required(required_struct(table, "implementation").gate, "gate");
        ExitGate offered = to_function(*table);
        require_agreement(offered, "exit gate");
        network::set_exit_gate(to_checked(std::move(offered)));
        ++exit_gate_offers;
    });
}

}  // namespace

OperatorOffers operator_offers() noexcept {
    return {quantize_offers, exit_gate_offers, quantize_uses, exit_gate_uses};
}

const topress_ops_v1& ops_table() noexcept {
    static constexpr topress_ops_v1 kTable = {
        sizeof(topress_ops_v1), &implement_quantize, &implement_exit_gate, &register_operator};
    return kTable;
}

}  // namespace topress::plugin
