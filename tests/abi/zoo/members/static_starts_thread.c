/* Starts a thread while it is opened. */
#define FIXTURE_NAME "static-starts-thread"
#include <pthread.h>
#include <unistd.h>

static void* run(void* context) {
    for (;;) {
        sleep(1);
    }
    return context;
}

__attribute__((constructor)) static void at_opening(void) {
    pthread_t thread;
    pthread_create(&thread, 0, run, 0);
}

#include "fixtures/plugins/fixture.h"
