// The kernel file group_l2.cu as C++: its launcher runs on the test kit.
#define TOPRESS_KERNEL_TESTKIT 1
#include "kernels/group_l2.cu"
