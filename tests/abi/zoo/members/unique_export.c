/* Exports a variable that the loader shares between all libraries that have one of its name. */
#define FIXTURE_NAME "unique-export"
#include "fixtures/plugins/fixture.h"
