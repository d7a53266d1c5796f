// What a network is made of, as plain structs: operators, channel groups, exits, cost.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace topress {

/// One operator. Inputs are activations first, then parameters ("conv2d": x, weight, bias).
struct NodeView {
    std::string name;
    std::string op;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
};

/// Dimension `dim` of `parameter` is indexed by offset + channel * repeat + r, 0 <= r < repeat.
struct GroupMember {
    std::string parameter;
    std::int64_t dim = 0;
    std::int64_t repeat = 1;
    std::int64_t offset = 0;
};

/// All parameter dimensions that share one channel index: what has to be removed together.
struct ChannelGroup {
    std::string name;
    std::int64_t channels = 0;
    std::vector<GroupMember> members;
};

/// An output at which samples leave when `criterion` of `logits` is >= `threshold`.
struct Exit {
    std::string name;
    std::string logits;  ///< value (N, C)
    std::string criterion = "max-probability";
    double threshold = 1.0;
    /// Measured share of all samples that leave here, 0..1; NaN = never measured.
    double share = std::numeric_limits<double>::quiet_NaN();
};

/// Computed cost of one sample. `bitops` and `expected_macs` weight exits by their shares.
struct Cost {
    double macs = 0;
    double bitops = 0;
    double expected_macs = 0;
    double parameters = 0;
    double stored_bytes = 0;
};

}  // namespace topress
