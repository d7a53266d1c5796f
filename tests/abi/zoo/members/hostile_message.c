/* Fails with a message without end, full of terminal commands and broken UTF-8. */
#define FIXTURE_NAME "hostile-message"
#include <topress/abi.h>

#include <string.h>

static topress_status init(const topress_host* host, topress_error* error) {
    (void)host;
    (void)error;
    memset(error->message, 0x1b, sizeof(error->message));
    memset(error->message + 500, 0xff, 400);
    memset(error->where, 'w', sizeof(error->where));
    return TOPRESS_ERROR_FAILED;
}

#define FIXTURE_INIT init
#include "fixtures/plugins/fixture.h"
