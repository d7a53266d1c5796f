// The clustering plugin: its technique and its operator.
#include "clustering.hpp"
#include "lookup.hpp"

#include <topress/plugin.hpp>

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("clustering.kmeans", example::clustering::KMeans));
TOPRESS_PLUGIN_INIT(example::clustering::register_lookup);
