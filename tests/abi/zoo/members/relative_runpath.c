/* Looks for other libraries in a folder below the current one. */
#define FIXTURE_NAME "relative-runpath"
#include "fixtures/plugins/fixture.h"
