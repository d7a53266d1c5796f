/* Removes channels; declares to write weights only. */
#define FIXTURE_NAME "writes-undeclared"
#include "pruning.h"

static topress_status apply(topress_technique* technique,
                            const topress_stage* stage,
                            topress_error* error) {
    (void)technique;
    return remove_channel(stage, error);
}

#define FIXTURE_INIT pruning_init
#define FIXTURE_APPLY apply
#include "fixtures/plugins/fixture.h"
