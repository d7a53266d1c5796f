// The kernel file codebook.cu as C++: its launchers run on the test kit.
#define TOPRESS_KERNEL_TESTKIT 1
#include "kernels/codebook.cu"
