/* Changes the current folder while it starts. */
#define FIXTURE_NAME "changes-folder"
#include <topress/abi.h>

#include <unistd.h>

static topress_status init(const topress_host* host, topress_error* error) {
    (void)host;
    (void)error;
    return chdir("/") == 0 ? TOPRESS_OK : TOPRESS_ERROR_FAILED;
}

#define FIXTURE_INIT init
#include "fixtures/plugins/fixture.h"
