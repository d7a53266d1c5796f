/* Changes the current folder while it is opened. */
#define FIXTURE_NAME "static-changes-folder"
#include <unistd.h>

__attribute__((constructor)) static void at_opening(void) {
    if (chdir("/") != 0) {
        _exit(1);
    }
}

#include "fixtures/plugins/fixture.h"
