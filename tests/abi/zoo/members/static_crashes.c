/* Writes to address zero while it is opened. */
#define FIXTURE_NAME "static-crashes"

__attribute__((constructor)) static void at_opening(void) {
    *(volatile int*)0 = 1;
}

#include "fixtures/plugins/fixture.h"
