/* One of two plugins that declare the same LibTorch namespace. */
#define FIXTURE_NAME "namespace-second"
#define FIXTURE_PLUGIN_KEYS "torch_namespaces = [\"zoo_ops\"]\n"
#include "fixtures/plugins/fixture.h"
