/* Linked with -static-libstdc++ although it calls C++ functions of another library. */
#define FIXTURE_NAME "static-runtime"
#include "fixtures/plugins/fixture.h"
