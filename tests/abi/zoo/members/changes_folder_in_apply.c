/* Does its work, and leaves another current folder behind. */
#define FIXTURE_NAME "changes-folder-in-apply"
#define FIXTURE_WRITES "[\"channels\", \"weights\", \"batch-stats\"]"
#include "pruning.h"

#include <unistd.h>

static topress_status apply(topress_technique* technique,
                            const topress_stage* stage,
                            topress_error* error) {
    (void)technique;
    const topress_status status = remove_channel(stage, error);
    return status != TOPRESS_OK || chdir("/") == 0 ? status : TOPRESS_ERROR_FAILED;
}

#define FIXTURE_INIT pruning_init
#define FIXTURE_APPLY apply
#include "fixtures/plugins/fixture.h"
