/* An exception leaves its initialiser. */
#define FIXTURE_NAME "static-throws"
#include "fixtures/plugins/fixture.h"
