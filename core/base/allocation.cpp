// Settings of glibc's allocator; elsewhere nothing.
#include "base/allocation.hpp"

#include <cstdlib>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace topress {

void keep_freed_memory() {
#if defined(__GLIBC__)
    constexpr int kLargest = 32 << 20;  // what glibc accepts at most
    constexpr int kKept = 2'000'000'000;
    mallopt(M_MMAP_THRESHOLD, kLargest);
    mallopt(M_TRIM_THRESHOLD, kKept);
#endif
}

}  // namespace topress
