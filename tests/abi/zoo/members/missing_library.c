/* Needs a library that was removed after linking. */
#define FIXTURE_NAME "missing-library"
#include "fixtures/plugins/fixture.h"

int zoo_support_number(void);

static topress_status uses_support(void) __attribute__((used));

static topress_status uses_support(void) {
    return zoo_support_number();
}
