/* Linked with an executable stack. */
#define FIXTURE_NAME "executable-stack"
#include "fixtures/plugins/fixture.h"
