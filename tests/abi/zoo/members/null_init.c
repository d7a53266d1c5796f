/* Its entry has no init. */
#define FIXTURE_NAME "null-init"
#define FIXTURE_INIT 0
#include "fixtures/plugins/fixture.h"
