/* Says that it made a technique and hands over none. */
#define FIXTURE_NAME "create-gives-nothing"
#include <topress/abi.h>

static topress_status create_nothing(const char* id,
                                     topress_technique** out,
                                     topress_error* error) {
    (void)id;
    (void)out;
    (void)error;
    return TOPRESS_OK;
}

#define FIXTURE_CREATE create_nothing
#include "fixtures/plugins/fixture.h"
