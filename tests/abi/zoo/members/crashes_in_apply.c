/* Crashes at work. */
#define FIXTURE_NAME "crashes-in-apply"
#include <topress/abi.h>

#include <signal.h>

static topress_status apply(topress_technique* technique,
                            const topress_stage* stage,
                            topress_error* error) {
    (void)technique;
    (void)stage;
    (void)error;
    return raise(SIGSEGV) == 0 ? TOPRESS_OK : TOPRESS_ERROR_FAILED;
}

#define FIXTURE_APPLY apply
#include "fixtures/plugins/fixture.h"
