// Squared L2 norms of all channel groups at once: the contract of CPU reference and CUDA launcher.
#pragma once

#include <topress/kernel/arguments.hpp>

#include <cstdint>

namespace topress::pruning {

/// One tensor dimension that belongs to a channel group: a parameter seen as (outer, channels,
/// inner), contiguous. Output channels of a convolution are (1, Cout, Cin*kh*kw), its input
/// channels (Cout, Cin, kh*kw), a batch norm gamma (1, C, 1).
struct GroupSegment {
    const float* data = nullptr;
    std::int64_t outer = 0;
    std::int64_t channels = 0;
    std::int64_t inner = 0;
    std::int64_t out_offset = 0;  ///< importance index of the segment's channel 0
    float scale = 1.0f;           ///< weight of this segment's sum
};

/// Importance of every channel of every group:
///     importance[k] = sum over segments s that cover k of scale_s * sum over outer, inner of x^2.
/// Shape:    segments (S), importance (size); a group is a range of importance that its segments
/// share. Requires: 0 <= out_offset and out_offset + channels <= size for each segment; no overlap
/// of
///           importance and data. Every entry is written, those that no segment covers with 0.
/// Result:   eight squares in float, their sums in double; segments add up in the order of the
/// array, so the bits do not depend
///           on threads. Data that are not finite give importance that is not finite.
/// Throws:   std::invalid_argument for null pointers, negative sizes, a segment outside of
/// importance. Cost:     reads every segment once.
void group_l2_cpu(const GroupSegment* segments,
                  std::int64_t segment_count,
                  float* importance,
                  std::int64_t size);

/// The same on the device in one launch: one block for every 8 entries of importance, fixed order,
/// no atomics; sixteen squares in float, compensated float sums of them. `segments` itself lies in
/// device memory, so its contents are not checked: call require_group_l2 on the host copy. `stream`
/// is a cudaStream_t.
/// Result: the order depends on shapes and offsets alone, so equal inputs give equal bits.
/// Throws: std::invalid_argument for null pointers and negative sizes; std::runtime_error when the
///         launch fails.
/// Cost:   4 bytes per element, and the S segments once per block (from the cache).
void launch_group_l2(const GroupSegment* segments,
                     std::int64_t segment_count,
                     float* importance,
                     std::int64_t size,
                     void* stream);

/// Checks the contents of segments, which must be host memory.
/// Throws: std::invalid_argument.
inline void require_group_l2(const GroupSegment* segments,
                             std::int64_t segment_count,
                             std::int64_t size) {
    using kernel::require;
    for (std::int64_t s = 0; s < segment_count; ++s) {
        const GroupSegment& segment = segments[s];
        const bool has_sizes = segment.outer >= 0 && segment.channels >= 0 && segment.inner >= 0;
        require(has_sizes, "group_l2: a segment has a negative size");
        require(segment.out_offset >= 0 && segment.out_offset <= size - segment.channels,
                "group_l2: a segment lies outside of importance");
        const bool is_empty = segment.outer == 0 || segment.channels == 0 || segment.inner == 0;
        require(is_empty || segment.data != nullptr, "group_l2: the data of a segment is null");
    }
}

/// The argument check of both, without the contents of segments.
inline void require_group_l2_arguments(const GroupSegment* segments,
                                       std::int64_t segment_count,
                                       const float* importance,
                                       std::int64_t size) {
    using kernel::require;
    require(segment_count >= 0 && size >= 0, "group_l2: a size is negative");
    require(segments != nullptr || segment_count == 0, "group_l2: segments is null");
    require(importance != nullptr || size == 0, "group_l2: importance is null");
}

}  // namespace topress::pruning
