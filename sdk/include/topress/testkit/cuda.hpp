// The CUDA vocabulary as plain C++: include it (through launch.cuh) and a .cu file is a C++ file.
//
// Include it once per program part, in a file of its own that then includes the .cu file: it
// defines CUDA's names in the global namespace. What is missing here is not supported by the kit.
#pragma once

#if !defined(TOPRESS_KERNEL_TESTKIT)
#error "define TOPRESS_KERNEL_TESTKIT before including a kernel file in the test kit"
#endif

#include <topress/testkit/cuda_indices.hpp>
#include <topress/testkit/engine.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>

// nvcc's pragmas (unroll) mean nothing to a C++ compiler.
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

// Qualifiers. Static shared memory is one static object: blocks run one after another.
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __shared__ static

using uint3 = topress::testkit::Index3;

struct dim3 {
    unsigned x;
    unsigned y;
    unsigned z;

    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// A device moves it as one access, at multiples of 16 only: UBSan reports any other address.
struct alignas(16) float4 {
    float x;
    float y;
    float z;
    float w;
};

inline float4 make_float4(float x, float y, float z, float w) {
    return {x, y, z, w};
}

#define threadIdx (::topress::testkit::thread_index)
#define blockIdx (::topress::testkit::block_index)
#define blockDim (::topress::testkit::block_extent)
#define gridDim (::topress::testkit::grid_extent)

constexpr int warpSize = 32;

// The caller's line, as default arguments of every rendez-vous. (Inside a braced Site, GCC 12 would
// take the line of this header.)
#define TOPRESS_TESTKIT_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace topress::testkit {

template <typename T>
T shuffle(WarpOperation operation, unsigned mask, T value, unsigned operand, int width, Site site) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t),
                  "a shuffle moves up to 8 bytes");
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    bits = meet_warp({operation, mask, bits, operand, static_cast<unsigned>(width), site});
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}

inline unsigned vote(WarpOperation operation, unsigned mask, int predicate, Site site) {
    const std::uint64_t value = predicate != 0 ? 1 : 0;
    return static_cast<unsigned>(meet_warp({operation, mask, value, 0, kLanesPerWarp, site}));
}

template <typename T, typename Change>
T change_atomically(T* address, const Change& change) {
    const T before = *address;
    *address = change(before);
    return before;
}

template <typename T>
using Same = std::common_type_t<T>;  // no deduction from this argument

template <typename Kernel, typename Arguments>
void launch(const char* name,
            dim3 grid,
            dim3 block,
            std::size_t shared_bytes,
            const Kernel& kernel,
            const Arguments& arguments) {
    const LaunchShape shape{{grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, shared_bytes};
    launch_grid(name, shape, [&] { std::apply(kernel, arguments); });
}

}  // namespace topress::testkit

// Barriers.
inline void __syncthreads(TOPRESS_TESTKIT_SITE) {
    topress::testkit::meet_block(false, {file, line});
}

inline int __syncthreads_count(int predicate, TOPRESS_TESTKIT_SITE) {
    return topress::testkit::meet_block(predicate != 0, {file, line}).predicates_true;
}

inline int __syncthreads_or(int predicate, TOPRESS_TESTKIT_SITE) {
    return topress::testkit::meet_block(predicate != 0, {file, line}).predicates_true > 0 ? 1 : 0;
}

inline int __syncthreads_and(int predicate, TOPRESS_TESTKIT_SITE) {
    const auto result = topress::testkit::meet_block(predicate != 0, {file, line});
    return result.predicates_true == result.threads ? 1 : 0;
}

inline void __syncwarp(unsigned mask = 0xffffffffu, TOPRESS_TESTKIT_SITE) {
    topress::testkit::vote(topress::testkit::WarpOperation::Sync, mask, 0, {file, line});
}

inline void __threadfence() {}

inline void __threadfence_block() {}

// Warp shuffles and votes.
template <typename T>
T __shfl_sync(unsigned mask, T value, int lane, int width = warpSize, TOPRESS_TESTKIT_SITE) {
    return topress::testkit::shuffle(topress::testkit::WarpOperation::Shuffle,
                                     mask,
                                     value,
                                     static_cast<unsigned>(lane),
                                     width,
                                     {file, line});
}

template <typename T>
T __shfl_up_sync(
    unsigned mask, T value, unsigned delta, int width = warpSize, TOPRESS_TESTKIT_SITE) {
    return topress::testkit::shuffle(
        topress::testkit::WarpOperation::ShuffleUp, mask, value, delta, width, {file, line});
}

template <typename T>
T __shfl_down_sync(
    unsigned mask, T value, unsigned delta, int width = warpSize, TOPRESS_TESTKIT_SITE) {
    return topress::testkit::shuffle(
        topress::testkit::WarpOperation::ShuffleDown, mask, value, delta, width, {file, line});
}

template <typename T>
T __shfl_xor_sync(
    unsigned mask, T value, int lane_mask, int width = warpSize, TOPRESS_TESTKIT_SITE) {
    return topress::testkit::shuffle(topress::testkit::WarpOperation::ShuffleXor,
                                     mask,
                                     value,
                                     static_cast<unsigned>(lane_mask),
                                     width,
                                     {file, line});
}

inline unsigned __ballot_sync(unsigned mask, int predicate, TOPRESS_TESTKIT_SITE) {
    return topress::testkit::vote(
        topress::testkit::WarpOperation::Ballot, mask, predicate, {file, line});
}

inline int __any_sync(unsigned mask, int predicate, TOPRESS_TESTKIT_SITE) {
    return static_cast<int>(topress::testkit::vote(
        topress::testkit::WarpOperation::Any, mask, predicate, {file, line}));
}

inline int __all_sync(unsigned mask, int predicate, TOPRESS_TESTKIT_SITE) {
    return static_cast<int>(topress::testkit::vote(
        topress::testkit::WarpOperation::All, mask, predicate, {file, line}));
}

inline unsigned __activemask() {
    return topress::testkit::active_lanes();
}

// Atomics: fibres switch only at a rendez-vous, so plain code is atomic.
template <typename T>
T atomicAdd(T* address, topress::testkit::Same<T> value) {
    return topress::testkit::change_atomically(address, [&](T old) -> T { return old + value; });
}

template <typename T>
T atomicSub(T* address, topress::testkit::Same<T> value) {
    return topress::testkit::change_atomically(address, [&](T old) -> T { return old - value; });
}

template <typename T>
T atomicMax(T* address, topress::testkit::Same<T> value) {
    return topress::testkit::change_atomically(address,
                                               [&](T old) { return std::max(old, value); });
}

template <typename T>
T atomicMin(T* address, topress::testkit::Same<T> value) {
    return topress::testkit::change_atomically(address,
                                               [&](T old) { return std::min(old, value); });
}

template <typename T>
T atomicOr(T* address, topress::testkit::Same<T> value) {
    return topress::testkit::change_atomically(address, [&](T old) -> T { return old | value; });
}

template <typename T>
T atomicAnd(T* address, topress::testkit::Same<T> value) {
    return topress::testkit::change_atomically(address, [&](T old) -> T { return old & value; });
}

template <typename T>
T atomicExch(T* address, topress::testkit::Same<T> value) {
    return topress::testkit::change_atomically(address, [&](T) { return value; });
}

template <typename T>
T atomicCAS(T* address, topress::testkit::Same<T> compare, topress::testkit::Same<T> value) {
    return topress::testkit::change_atomically(address,
                                               [&](T old) { return old == compare ? value : old; });
}

// Loads, bits and arithmetic.
template <typename T>
T __ldg(const T* address) {
    return *address;
}

inline int __popc(unsigned bits) {
    return __builtin_popcount(bits);
}

inline int __popcll(unsigned long long bits) {
    return __builtin_popcountll(bits);
}

inline int __ffs(int bits) {
    return __builtin_ffs(bits);
}

inline int __clz(int bits) {
    return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits));
}

inline float rsqrtf(float value) {
    return 1.0f / std::sqrt(value);
}

#define __expf(value) expf(value)
#define __logf(value) logf(value)
#define __fadd_rn(a, b) ((a) + (b))
#define __fmul_rn(a, b) ((a) * (b))
#define __fdiv_rn(a, b) ((a) / (b))
#define __fmaf_rn(a, b, c) fmaf((a), (b), (c))
using std::isfinite;
using std::isinf;
using std::isnan;
using std::max;
using std::min;

// The runtime calls a launcher may make; the kit's memory is host memory and its work is done at
// once.
using cudaStream_t = void*;

enum cudaError_t { cudaSuccess = 0 };

inline cudaError_t cudaGetLastError() {
    return cudaSuccess;
}

inline const char* cudaGetErrorString(cudaError_t) {
    return "no error";
}

inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
    return cudaSuccess;
}

inline cudaError_t cudaMemsetAsync(void* address, int byte, std::size_t size, cudaStream_t) {
    std::memset(address, byte, size);
    return cudaSuccess;
}

#define TOPRESS_LAUNCH(kernel_name, grid, block, shared_bytes, stream, ...) \
    do {                                                                    \
        static_cast<void>(stream);                                          \
        ::topress::testkit::launch(                                         \
            #kernel_name,                                                   \
            (grid),                                                         \
            (block),                                                        \
            (shared_bytes),                                                 \
            [](const auto&... arguments) { kernel_name(arguments...); },    \
            std::make_tuple(__VA_ARGS__));                                  \
    } while (false)

#define TOPRESS_DYNAMIC_SHARED(type, name) \
    type* const name = static_cast<type*>(::topress::testkit::dynamic_shared())
