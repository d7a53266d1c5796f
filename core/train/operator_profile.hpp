// While a profile is recorded, every operator of LibTorch is a span of its own.
#pragma once

#include <cstdint>

namespace topress::train {

/// For its lifetime, operators are told to base/profile: forward ones by name, backward ones as the
/// node of the autograd graph that runs them.
class OperatorProfile {
  public:
    OperatorProfile();
    ~OperatorProfile();
    OperatorProfile(const OperatorProfile&) = delete;
    OperatorProfile& operator=(const OperatorProfile&) = delete;

  private:
    std::uint64_t callback_;
};

}  // namespace topress::train
