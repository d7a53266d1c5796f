/* A training hook throws on a thread of its own, where nobody can catch it. */
#define FIXTURE_NAME "throws-in-hook-thread"
#include "hooking.h"

#define FIXTURE_INIT hooking_init
#define FIXTURE_APPLY throws_elsewhere
#include "fixtures/plugins/fixture.h"
