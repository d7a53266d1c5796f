/* Takes the interrupt signal while it starts. */
#define FIXTURE_NAME "takes-signals"
#include <topress/abi.h>

#include <signal.h>

static topress_status init(const topress_host* host, topress_error* error) {
    (void)host;
    (void)error;
    return signal(SIGINT, SIG_IGN) != SIG_ERR ? TOPRESS_OK : TOPRESS_ERROR_FAILED;
}

#define FIXTURE_INIT init
#include "fixtures/plugins/fixture.h"
