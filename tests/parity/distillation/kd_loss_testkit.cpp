// The kernel file kd_loss.cu as C++: its launcher runs on the test kit.
#define TOPRESS_KERNEL_TESTKIT 1
#include "kernels/kd_loss.cu"
