/* Crashes while it takes its parameters. */
#define FIXTURE_NAME "crashes-in-configure"
#include <topress/abi.h>

#include <signal.h>

static topress_status configure(topress_technique* technique,
                                const topress_value* values,
                                uint64_t count,
                                topress_error* error) {
    (void)technique;
    (void)values;
    (void)count;
    (void)error;
    return raise(SIGSEGV) == 0 ? TOPRESS_OK : TOPRESS_ERROR_FAILED;
}

#define FIXTURE_CONFIGURE configure
#include "fixtures/plugins/fixture.h"
