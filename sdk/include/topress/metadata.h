/* The words that plugin.toml uses: kinds, granularities, resources, and the prefixes of references.
 * Lists are comma-separated string literals. Compiles as C11 and C++20. */
#ifndef TOPRESS_METADATA_H
#define TOPRESS_METADATA_H

#define TOPRESS_METADATA_SCHEMA 1

/* What a technique may declare to read or write; an author's own start with "x-". */
#define TOPRESS_RESOURCES \
    "topology", "channels", "weights", "precision", "exits", "batch-stats", "loss"
#define TOPRESS_RESOURCE_PREFIX "x-"

#define TOPRESS_KINDS "static", "dynamic"
/* From coarse to fine. */
#define TOPRESS_GRANULARITIES "architecture", "layer", "channel", "weight", "bit"
#define TOPRESS_DETERMINISM "bit-exact", "same-device", "none"
/* Where a technique wants to run, unless the user says otherwise. */
#define TOPRESS_ISOLATIONS "process", "in-process"

/* Prefixes of a `before` / `after` / `requires` / `conflicts` target that is no technique id. */
#define TOPRESS_REFERENCE_CAPABILITY "capability:"
#define TOPRESS_REFERENCE_KIND "kind:"
#define TOPRESS_REFERENCE_GRANULARITY "granularity:"

#endif
