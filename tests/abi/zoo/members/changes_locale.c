/* Changes the locale of the process while it starts. */
#define FIXTURE_NAME "changes-locale"
#include <topress/abi.h>

#include <locale.h>

static topress_status init(const topress_host* host, topress_error* error) {
    (void)host;
    (void)error;
    return setlocale(LC_ALL, "C.UTF-8") != 0 ? TOPRESS_OK : TOPRESS_ERROR_FAILED;
}

#define FIXTURE_INIT init
#include "fixtures/plugins/fixture.h"
