/* Has an absolute address in its code, so that the loader must make the code writable. */
#define FIXTURE_NAME "text-relocations"
#include "fixtures/plugins/fixture.h"

__asm__(".text\n.8byte fixture_object\n");
