// Shuffles and votes, as the CUDA programming guide defines them.
#include "warp.hpp"

#include <cstdio>
#include <filesystem>
#include <string_view>

namespace topress::testkit {
namespace {

const char* name_of(WarpOperation operation) {
    switch (operation) {
        case WarpOperation::Sync:
            return "__syncwarp";
        case WarpOperation::Shuffle:
            return "__shfl_sync";
        case WarpOperation::ShuffleUp:
            return "__shfl_up_sync";
        case WarpOperation::ShuffleDown:
            return "__shfl_down_sync";
        case WarpOperation::ShuffleXor:
            return "__shfl_xor_sync";
        case WarpOperation::Ballot:
            return "__ballot_sync";
        case WarpOperation::Any:
            return "__any_sync";
        case WarpOperation::All:
            return "__all_sync";
    }
    return "warp operation";
}

bool is_shuffle(WarpOperation operation) {
    return operation == WarpOperation::Shuffle || operation == WarpOperation::ShuffleUp ||
           operation == WarpOperation::ShuffleDown || operation == WarpOperation::ShuffleXor;
}

bool is_named(unsigned mask, unsigned lane) {
    return ((mask >> lane) & 1u) != 0;
}

unsigned ballot(const WarpRequests& requests, unsigned mask) {
    unsigned votes = 0;
    for (unsigned lane = 0; lane < kLanesPerWarp; ++lane) {
        if (is_named(mask, lane) && requests[lane]->value != 0) {
            votes |= 1u << lane;
        }
    }
    return votes;
}

std::string hexadecimal(unsigned mask) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%08x", mask);
    return text;
}

}  // namespace

bool is_same_site(Site a, Site b) {
    // Literals of one file are mostly one object: the comparison of texts is the rare case.
    return a.line == b.line && (a.file == b.file || std::string_view(a.file) == b.file);
}

bool is_same_meeting(const WarpRequest& a, const WarpRequest& b) {
    return a.operation == b.operation && a.mask == b.mask && is_same_site(a.site, b.site);
}

bool is_complete(const WarpRequests& requests, const WarpRequest& request) {
    for (unsigned lane = 0; lane < kLanesPerWarp; ++lane) {
        const bool arrived = requests[lane] != nullptr && is_same_meeting(request, *requests[lane]);
        if (is_named(request.mask, lane) && !arrived) {
            return false;
        }
    }
    return true;
}

unsigned source_lane(const WarpRequest& request, unsigned lane) {
    const unsigned first = lane & ~(request.width - 1);
    const unsigned last = first + request.width - 1;
    unsigned source = lane;
    switch (request.operation) {
        case WarpOperation::Shuffle:
            return first + (request.operand & (request.width - 1));
        case WarpOperation::ShuffleUp:
            return request.operand <= lane - first ? lane - request.operand : lane;
        case WarpOperation::ShuffleDown:
            return request.operand <= last - lane ? lane + request.operand : lane;
        case WarpOperation::ShuffleXor:
            // Segments before one's own can be read, those behind cannot.
            source = lane ^ request.operand;
            return source <= last ? source : lane;
        default:
            return lane;
    }
}

std::string find_request_fault(const WarpRequest& request, unsigned lane) {
    if (!is_named(request.mask, lane)) {
        return describe(request) + ": mask " + hexadecimal(request.mask) +
               " does not name the calling lane " + std::to_string(lane);
    }
    if (!is_shuffle(request.operation)) {
        return {};
    }
    const unsigned width = request.width;
    if (width == 0 || width > kLanesPerWarp || (width & (width - 1)) != 0) {
        return describe(request) + ": width " + std::to_string(width) +
               " is not a power of two up to 32";
    }
    const unsigned source = source_lane(request, lane);
    if (!is_named(request.mask, source)) {
        return describe(request) + ": reads lane " + std::to_string(source) + ", which mask " +
               hexadecimal(request.mask) + " does not name";
    }
    return {};
}

std::uint64_t warp_result(const WarpRequests& requests, unsigned lane) {
    const WarpRequest& request = *requests[lane];
    switch (request.operation) {
        case WarpOperation::Sync:
            return 0;
        case WarpOperation::Ballot:
            return ballot(requests, request.mask);
        case WarpOperation::Any:
            return ballot(requests, request.mask) != 0 ? 1 : 0;
        case WarpOperation::All:
            return ballot(requests, request.mask) == request.mask ? 1 : 0;
        default:
            return requests[source_lane(request, lane)]->value;
    }
}

std::string describe(Site site) {
    return std::filesystem::path(site.file).filename().string() + ":" + std::to_string(site.line);
}

std::string describe(const WarpRequest& request) {
    return std::string(name_of(request.operation)) + " at " + describe(request.site);
}

}  // namespace topress::testkit
