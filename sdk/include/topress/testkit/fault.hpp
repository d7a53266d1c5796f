// What the kernel test kit throws: a fault with the kernel, block and thread it was seen in.
#pragma once

#include <stdexcept>
#include <string>

namespace topress::testkit {

/// A CUDA index or extent: x varies fastest.
struct Index3 {
    unsigned x = 0;
    unsigned y = 0;
    unsigned z = 0;
};

/// "(x, y, z)".
std::string to_string(Index3 index);

/// Something a kernel must not do: a divergent barrier, a shuffle with a missing lane, a write into
/// a guard band, a result that depends on the order of its threads. what() tells the whole story.
class KernelFault : public std::runtime_error {
  public:
    KernelFault(const std::string& kernel, Index3 block, Index3 thread, const std::string& story)
        : std::runtime_error("kernel '" + kernel + "', block " + to_string(block) + ", thread " +
                             to_string(thread) + ": " + story),
          block_(block),
          thread_(thread) {}

    /// A fault that belongs to no thread, seen by the host.
    explicit KernelFault(const std::string& story) : std::runtime_error(story) {}

    [[nodiscard]] Index3 block() const noexcept { return block_; }

    [[nodiscard]] Index3 thread() const noexcept { return thread_; }

  private:
    Index3 block_;
    Index3 thread_;
};

}  // namespace topress::testkit
