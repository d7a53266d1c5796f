/* Real work over the C ABI: removes one channel of the first group. */
#ifndef TOPRESS_ZOO_PRUNING_H
#define TOPRESS_ZOO_PRUNING_H

#include <topress/abi.h>

#include <stdio.h>

enum { MOST_CHANNELS = 1024 };

static const topress_host* pruning_host;

static topress_status pruning_init(const topress_host* host, topress_error* error) {
    (void)error;
    pruning_host = host;
    return TOPRESS_OK;
}

static topress_status remove_channel(const topress_stage* stage, topress_error* error) {
    const topress_model_v1* model = pruning_host->get_interface(TOPRESS_MODEL_1);
    const char* name = 0;
    uint64_t channels = 0;
    uint64_t members = 0;
    const topress_status found = model->group(stage->model, 0, &name, &channels, &members, error);
    if (found != TOPRESS_OK) {
        return found;
    }
    if (channels < 2 || channels > MOST_CHANNELS) {
        return TOPRESS_ERROR_UNSUPPORTED;
    }
    char group[256];
    snprintf(group, sizeof(group), "%s", name); /* borrowed until the next call */
    int64_t kept[MOST_CHANNELS];
    for (uint64_t i = 0; i + 1 < channels; ++i) {
        kept[i] = (int64_t)i;
    }
    return model->keep_channels(stage->model, group, kept, channels - 1, error);
}

#endif
