/* Needs an interface that no host has. */
#define FIXTURE_NAME "asks-unknown-interface"
#include <topress/abi.h>

#include <string.h>

static topress_status init(const topress_host* host, topress_error* error) {
    (void)host;
    (void)error;
    if (host->get_interface("topress.future/9") == 0) {
        strcpy(error->message, "needs topress.future/9");
        return TOPRESS_ERROR_UNSUPPORTED;
    }
    return TOPRESS_OK;
}

#define FIXTURE_INIT init
#include "fixtures/plugins/fixture.h"
