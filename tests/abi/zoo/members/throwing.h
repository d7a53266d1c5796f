/* Functions that throw C++ exceptions through the C boundary. */
#ifndef TOPRESS_ZOO_THROWING_H
#define TOPRESS_ZOO_THROWING_H

#include <topress/abi.h>

topress_status throwing_init(const topress_host* host, topress_error* error);
const void* throwing_get_interface(const char* id);
topress_status throwing_create(const char* id, topress_technique** out, topress_error* error);
topress_status throwing_configure(topress_technique* technique,
                                  const topress_value* values,
                                  uint64_t count,
                                  topress_error* error);
topress_status throwing_apply(topress_technique* technique,
                              const topress_stage* stage,
                              topress_error* error);

#endif
