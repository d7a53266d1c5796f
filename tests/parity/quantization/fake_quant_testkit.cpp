// The kernel file fake_quant.cu as C++: its launcher runs on the test kit.
#define TOPRESS_KERNEL_TESTKIT 1
#include "kernels/fake_quant.cu"
