/* Registers LibTorch operators and does not declare their namespace. */
#define FIXTURE_NAME "undeclared-namespace"
#include "fixtures/plugins/fixture.h"
