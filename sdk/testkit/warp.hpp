// Warp-wide operations: what every lane gets once all lanes of the mask have asked.
#pragma once

#include <topress/testkit/engine.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace topress::testkit {

/// The requests of a warp, by lane; null where the lane asked for nothing.
using WarpRequests = std::array<const WarpRequest*, kLanesPerWarp>;

/// The same line of the same file?
bool is_same_site(Site a, Site b);

/// Do two lanes ask for the same operation, from the same line, with the same mask?
bool is_same_meeting(const WarpRequest& a, const WarpRequest& b);

/// Has every lane that the mask of `request` names asked for the same?
bool is_complete(const WarpRequests& requests, const WarpRequest& request);

/// Why a lane may not ask for this at all ("the mask does not name the calling lane"), or empty.
std::string find_request_fault(const WarpRequest& request, unsigned lane);

/// The lane that a shuffle reads for `lane`; `lane` itself where it points outside its segment.
unsigned source_lane(const WarpRequest& request, unsigned lane);

/// The result for `lane`, once all lanes of its mask have asked.
std::uint64_t warp_result(const WarpRequests& requests, unsigned lane);

/// "__shfl_xor_sync at kernel.cu:12".
std::string describe(const WarpRequest& request);

/// "kernel.cu:12".
std::string describe(Site site);

}  // namespace topress::testkit
