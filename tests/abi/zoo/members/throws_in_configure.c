/* Written without the SDK: an exception leaves configure through the C boundary. */
#define FIXTURE_NAME "throws-in-configure"
#include "throwing.h"

#define FIXTURE_CONFIGURE throwing_configure
#include "fixtures/plugins/fixture.h"
