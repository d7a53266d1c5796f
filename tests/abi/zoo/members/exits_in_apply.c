/* Ends the process at work, as if all were well. */
#define FIXTURE_NAME "exits-in-apply"
#include <topress/abi.h>

#include <stdlib.h>

static topress_status apply(topress_technique* technique,
                            const topress_stage* stage,
                            topress_error* error) {
    (void)technique;
    (void)stage;
    (void)error;
    exit(0);
}

#define FIXTURE_APPLY apply
#include "fixtures/plugins/fixture.h"
