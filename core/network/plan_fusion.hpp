// Joins steps of a plan that go over the same memory one after the other. Internal to network/.
#pragma once

#include "network/plan.hpp"

namespace topress::network {

/// batch_norm, batch_norm + relu, batch_norm + add and batch_norm + add + relu become one step each
/// where nothing else reads what lies between. Last uses must not have been marked yet.
void fuse_norms(Plan& plan);

}  // namespace topress::network
