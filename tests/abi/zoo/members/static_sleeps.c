/* Waits for a minute while it is opened. */
#define FIXTURE_NAME "static-sleeps"
#include <unistd.h>

__attribute__((constructor)) static void at_opening(void) {
    sleep(60);
}

#include "fixtures/plugins/fixture.h"
