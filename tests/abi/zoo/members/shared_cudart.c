/* Needs the shared CUDA runtime. */
#define FIXTURE_NAME "shared-cudart"
#include "fixtures/plugins/fixture.h"

int cudaGetDeviceCount(int* count);

static int uses_cuda(void) __attribute__((used));

static int uses_cuda(void) {
    int count = 0;
    return cudaGetDeviceCount(&count);
}
