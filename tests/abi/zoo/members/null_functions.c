/* Offers a table of techniques without apply. */
#define FIXTURE_NAME "null-functions"
#define FIXTURE_APPLY 0
#include "fixtures/plugins/fixture.h"
