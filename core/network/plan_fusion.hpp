// Joins steps of a plan that go over the same memory one after the other. Internal to network/.
#pragma once

#include "network/plan.hpp"

namespace topress::network {

/// A batch_norm or conv2d and the add, the relu or both behind it become one step where nothing
/// else reads what lies between. Last uses must not have been marked yet.
void fuse_tails(Plan& plan);

}  // namespace topress::network
