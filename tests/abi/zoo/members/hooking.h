/* Techniques that train, and whose training hook throws. */
#ifndef TOPRESS_ZOO_HOOKING_H
#define TOPRESS_ZOO_HOOKING_H

#include <topress/abi.h>

topress_status hooking_init(const topress_host* host, topress_error* error);
topress_status throws_here(topress_technique* technique,
                           const topress_stage* stage,
                           topress_error* error);
topress_status throws_elsewhere(topress_technique* technique,
                                const topress_stage* stage,
                                topress_error* error);

#endif
