/* Fails with a status that does not exist and no message. */
#define FIXTURE_NAME "unknown-status"
#include <topress/abi.h>

static topress_status init(const topress_host* host, topress_error* error) {
    (void)host;
    (void)error;
    return 4711;
}

#define FIXTURE_INIT init
#include "fixtures/plugins/fixture.h"
