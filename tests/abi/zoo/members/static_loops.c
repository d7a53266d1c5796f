/* Never ends opening. */
#define FIXTURE_NAME "static-loops"

__attribute__((constructor)) static void at_opening(void) {
    for (volatile int i = 0;; i = i + 1) {
    }
}

#include "fixtures/plugins/fixture.h"
