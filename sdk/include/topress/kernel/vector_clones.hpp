// One portable build whose inner loops use the vectors of the machine they run on.
#pragma once

/// Before a function definition: it is compiled for plain x86-64 and for AVX2, and the loader picks
/// one when the library is opened. What it calls must be inlined into it to gain. Without fused
/// multiplication (AVX2 alone has none) and with sums in a fixed order both give the same bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__) && \
    !defined(__SANITIZE_ADDRESS__)
#define TOPRESS_VECTOR_CLONES __attribute__((target_clones("default", "avx2")))
#else
#define TOPRESS_VECTOR_CLONES
#endif
