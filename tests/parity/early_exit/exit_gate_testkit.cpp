// The kernel file exit_gate.cu as C++: its launcher runs on the test kit.
#define TOPRESS_KERNEL_TESTKIT 1
#include "kernels/exit_gate.cu"
