/* Never ends its work, and does not want to be asked to. */
#define FIXTURE_NAME "loops-in-apply"
#include <topress/abi.h>

#include <signal.h>

static topress_status apply(topress_technique* technique,
                            const topress_stage* stage,
                            topress_error* error) {
    (void)technique;
    (void)stage;
    (void)error;
    signal(SIGTERM, SIG_IGN);
    for (volatile int i = 0;; i = i ^ 1) {
    }
}

#define FIXTURE_APPLY apply
#include "fixtures/plugins/fixture.h"
