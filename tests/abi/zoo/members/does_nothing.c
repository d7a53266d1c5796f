/* Reports success and has changed nothing. */
#define FIXTURE_NAME "does-nothing"
#include "fixtures/plugins/fixture.h"
