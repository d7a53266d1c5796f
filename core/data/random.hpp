// Random numbers that are the same on every platform: SplitMix64, as a stream and by counter.
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace topress::data {

/// The SplitMix64 finaliser: every bit of the input changes about half the bits of the output.
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t value) {
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31U);
}

/// A seed derived from another one and a number (an epoch, a class, a sample): no two collide in
/// practice.
[[nodiscard]] constexpr std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t number) {
    return mix_bits(mix_bits(seed + 0x9e3779b97f4a7c15ULL) ^ (number + 0x632be59bd9b4e019ULL));
}

/// A stream of random numbers. Used instead of <random>, whose distributions and std::shuffle
/// differ between standard libraries.
class Random {
  public:
    explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15ULL;
        return mix_bits(state_);
    }

    /// Uniform in [0, bound), without bias. Requires: bound > 0.
    constexpr std::uint64_t below(std::uint64_t bound) {
        const std::uint64_t rest = (0 - bound) % bound;  // 2^64 mod bound: these would be too many
        std::uint64_t value = next();
        while (value < rest) {
            value = next();
        }
        return value % bound;
    }

  private:
    std::uint64_t state_;
};

/// Fisher-Yates.
template <class T>
void shuffle(std::vector<T>& values, Random& random) {
    for (std::size_t left = values.size(); left > 1; --left) {
        std::swap(values[left - 1], values[static_cast<std::size_t>(random.below(left))]);
    }
}

}  // namespace topress::data
