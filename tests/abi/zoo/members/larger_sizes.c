/* Built with a later minor version of the header: note, entry and table are longer. Must load. */
#define FIXTURE_NAME "larger-sizes"
#include <topress/abi.h>

typedef struct {
    topress_entry known;
    uint64_t later[8];
} later_entry;

typedef struct {
    topress_abi_note known;
    uint32_t later[16]; /* notes are aligned to four bytes */
} later_note;

#define FIXTURE_ENTRY_TYPE later_entry
#define FIXTURE_ENTRY_SIZE sizeof(later_entry)
#define FIXTURE_NOTE_TYPE later_note
#include "fixtures/plugins/fixture.h"
