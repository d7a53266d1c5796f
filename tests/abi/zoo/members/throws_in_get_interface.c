/* Written without the SDK: an exception leaves get_interface through the C boundary. */
#define FIXTURE_NAME "throws-in-get-interface"
#include "throwing.h"

#define FIXTURE_GET_INTERFACE throwing_get_interface
#include "fixtures/plugins/fixture.h"
