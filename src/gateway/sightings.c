#include "gateway/sightings.h"

#include <stdlib.h>

bool sightings_open(struct sightings *sightings)
{
    sightings->entries = calloc(SIGHTINGS_SIZE, sizeof(struct sighting));
    return sightings->entries != NULL;
}

void sightings_close(struct sightings *sightings)
{
    free(sightings->entries);
    sightings->entries = NULL;
}

bool sightings_note(struct sightings *sightings, uint64_t fingerprint, uint64_t now)
{
    struct sighting *entry = &sightings->entries[fingerprint % SIGHTINGS_SIZE];
    bool seen = entry->fingerprint == fingerprint && entry->seen != 0 && now - entry->seen < SIGHTINGS_AGE;
    *entry = (struct sighting){.fingerprint = fingerprint, .seen = now == 0 ? 1 : now};
    return seen;
}
