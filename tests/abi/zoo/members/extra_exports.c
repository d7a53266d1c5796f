/* Exports a function beside its entry. */
#define FIXTURE_NAME "extra-exports"
#include "fixtures/plugins/fixture.h"

TOPRESS_EXPORT int topress_zoo_second_export(void);

int topress_zoo_second_export(void) {
    return 1;
}
