/* Takes 8 GiB of memory, 16 MiB at a time, and holds them. */
#define FIXTURE_NAME "takes-memory-in-apply"
#include <topress/abi.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 512 };

static const size_t block_bytes = (size_t)16 << 20;
static void* held[BLOCKS];

static topress_status apply(topress_technique* technique,
                            const topress_stage* stage,
                            topress_error* error) {
    (void)technique;
    (void)stage;
    (void)error;
    for (int i = 0; i < BLOCKS; ++i) {
        held[i] = malloc(block_bytes);
        if (held[i] != 0) {
            memset(held[i], 1, block_bytes);
        }
        usleep(2000); /* the host looks every few milliseconds */
    }
    return TOPRESS_OK;
}

#define FIXTURE_APPLY apply
#include "fixtures/plugins/fixture.h"
