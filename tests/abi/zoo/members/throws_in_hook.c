/* A training hook throws through the host's training loop. */
#define FIXTURE_NAME "throws-in-hook"
#include "hooking.h"

#define FIXTURE_INIT hooking_init
#define FIXTURE_APPLY throws_here
#include "fixtures/plugins/fixture.h"
