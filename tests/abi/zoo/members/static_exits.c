/* Ends the process while it is opened, as if all were well. */
#define FIXTURE_NAME "static-exits"
#include <unistd.h>

__attribute__((constructor)) static void at_opening(void) {
    _exit(0);
}

#include "fixtures/plugins/fixture.h"
