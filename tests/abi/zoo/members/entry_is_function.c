/* Exports a function under the name of the entry. */
#define FIXTURE_NAME "entry-is-function"
#define FIXTURE_ENTRY_NAME hidden_entry
#include "fixtures/plugins/fixture.h"

TOPRESS_EXPORT void topress_plugin_entry(void);

void topress_plugin_entry(void) {}
