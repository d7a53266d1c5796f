/* Writes to address zero while it is opened. */
#define FIXTURE_NAME "static-crashes"

/* Volatile, or the compiler takes the write away. */
static int* volatile nowhere = 0;

__attribute__((constructor)) static void at_opening(void) {
    *nowhere = 1;
}

#include "fixtures/plugins/fixture.h"
