/* Written without the SDK: an exception leaves apply through the C boundary. */
#define FIXTURE_NAME "throws-in-apply"
#include "throwing.h"

#define FIXTURE_APPLY throwing_apply
#include "fixtures/plugins/fixture.h"
