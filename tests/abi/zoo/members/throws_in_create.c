/* Written without the SDK: an exception leaves create through the C boundary. */
#define FIXTURE_NAME "throws-in-create"
#include "throwing.h"

#define FIXTURE_CREATE throwing_create
#include "fixtures/plugins/fixture.h"
