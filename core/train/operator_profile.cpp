// LibTorch calls back before and after each operator.
#include "train/operator_profile.hpp"

#include "base/profile.hpp"

#include <ATen/record_function.h>

#include <memory>

namespace topress::train {
namespace {

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
    const bool backward = function.scope() == at::RecordScope::BACKWARD_FUNCTION;
    profile::begin(function.name(), backward ? "backward operator" : "operator");
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
