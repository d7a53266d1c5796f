// LibTorch calls back before and after each operator.
#include "train/operator_profile.hpp"

#include "base/profile.hpp"

#include <ATen/record_function.h>

#include <memory>
#include <string>
#include <string_view>

namespace topress::train {
namespace {

/// "torch::autograd::CppNode<topress::network::(anonymous namespace)::Norm>" is "Norm", with what
/// stands before the node's name.
std::string readable(std::string_view name) {
    constexpr std::string_view kNode = "torch::autograd::CppNode<";
    const std::size_t node = name.find(kNode);
    if (node == std::string_view::npos) {
        return std::string(name);
    }
    std::string_view inner = name.substr(node + kNode.size());
    inner = inner.substr(0, inner.rfind('>'));
    const std::size_t scope = inner.rfind("::");
    inner = scope == std::string_view::npos ? inner : inner.substr(scope + 2);
    return std::string(name.substr(0, node)).append(inner);
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
    const bool backward = function.scope() == at::RecordScope::BACKWARD_FUNCTION;
    profile::begin(readable(function.name()), backward ? "backward operator" : "operator");
    return nullptr;
}

void on_end(const at::RecordFunction& /*function*/, at::ObserverContext* /*context*/) {
    profile::end();
}

}  // namespace

OperatorProfile::OperatorProfile()
    : callback_(at::addGlobalCallback(
          at::RecordFunctionCallback(on_start, on_end)
              .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}))) {}

OperatorProfile::~OperatorProfile() {
    at::removeCallback(callback_);
}

}  // namespace topress::train
