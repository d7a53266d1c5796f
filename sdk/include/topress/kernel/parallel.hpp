// Loops of CPU references over independent items: threads where OpenMP is there, same bits always.
#pragma once

#include <cstdint>

namespace topress::kernel {

/// Below this many elements a loop is not worth waking other threads for.
constexpr std::int64_t kParallelElements = 32768;

/// Calls body(0) ... body(items - 1), each once, in any order and on any thread. The items must be
/// independent and must not throw; the result then does not depend on the number of threads.
/// `elements` is the size of all the work: small work stays on the calling thread.
template <typename Body>
void for_each_item(std::int64_t items, std::int64_t elements, const Body& body) {
#if defined(_OPENMP)
#pragma omp parallel for schedule(static) if (elements > kParallelElements)
#else
    static_cast<void>(elements);
#endif
    for (std::int64_t item = 0; item < items; ++item) {
        body(item);
    }
}

}  // namespace topress::kernel
