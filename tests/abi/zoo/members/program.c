/* A program that exports a plugin entry: an ELF file of the right type that no loader opens. */
#define FIXTURE_NAME "program"
#include "fixtures/plugins/fixture.h"

int main(void) {
    return 0;
}
