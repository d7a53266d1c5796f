/* Rounds towards zero from its start on. */
#define FIXTURE_NAME "changes-rounding"
#include <topress/abi.h>

#include <fenv.h>

static topress_status init(const topress_host* host, topress_error* error) {
    (void)host;
    (void)error;
    return fesetround(FE_TOWARDZERO) == 0 ? TOPRESS_OK : TOPRESS_ERROR_FAILED;
}

#define FIXTURE_INIT init
#include "fixtures/plugins/fixture.h"
