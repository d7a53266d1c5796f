/* Aborts while it is opened. */
#define FIXTURE_NAME "static-aborts"
#include <stdlib.h>

__attribute__((constructor)) static void at_opening(void) {
    abort();
}

#include "fixtures/plugins/fixture.h"
