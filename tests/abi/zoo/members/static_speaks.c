/* Answers in place of the program that opens it, then crashes. */
#define FIXTURE_NAME "static-speaks"
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void at_opening(void) {
    puts("{\"verdict\": \"loadable\", \"status\": \"ok\", \"code\": \"\"}");
    puts("ok");
    fflush(stdout);
    abort();
}

#include "fixtures/plugins/fixture.h"
