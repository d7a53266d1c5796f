/* Written without the SDK: an exception leaves init through the C boundary. */
#define FIXTURE_NAME "throws-in-init"
#include "throwing.h"

#define FIXTURE_INIT throwing_init
#include "fixtures/plugins/fixture.h"
