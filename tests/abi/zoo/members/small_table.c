/* Offers a table of techniques that is shorter than the first version. */
#define FIXTURE_NAME "small-table"
#define FIXTURE_TABLE_SIZE 16
#include "fixtures/plugins/fixture.h"
