#include "device/era.h"

#include <string.h>

#define MILLISECOND UINT64_C(1000)
#define SECOND (1000 * MILLISECOND)

/* The ten reads of 50 ms came step by step: no limit at all before 1.0.0, ten reads that wait until something comes in
 * 1.0.0, 50 ms each behind that. A device without that limit hangs where a later one gives up, so the rows differ. */
const struct strict_era strict_eras[] = {
    {
        .name = "0.4.7",
        .version = 1,
        .control_frames_max = 7,
        .stall_max = 500 * MILLISECOND,
    },
    {
        .name = "0.5",
        .version = 1,
        .has_udp = true,
        /* docs/protocol.md has 500 ms for all versions up to 1.1.0, as the Python SDK has it. The C core's first UDP
         * transport repeated after 100 ms and took every copy of a handshake frame for a frame, and this is the strict
         * device. */
        .repeat_after = 100 * MILLISECOND,
        .copies = STRICT_COPIES_TAKEN,
        .only_forward = true,
        .control_frames_max = 7,
        .stall_max = 500 * MILLISECOND,
        .reuses_seq = true,
    },
    {
        .name = "0.6.0",
        .version = 2,
        .has_udp = true,
        .repeat_after = 500 * MILLISECOND,
        .copies = STRICT_COPIES_BELOW_5,
        .only_forward = true,
        .keeps_old_keys = true,
        .control_frames_max = 7,
        .stall_max = 500 * MILLISECOND,
        .reuses_seq = true,
    },
    {
        .name = "1.0.0",
        .version = 2,
        .has_udp = true,
        .repeat_after = 500 * MILLISECOND,
        .reads_max = 10,
        .copies = STRICT_COPIES_BELOW_5,
        .keeps_old_keys = true,
        .control_frames_max = 7,
        .stall_max = 500 * MILLISECOND,
        .reuses_seq = true,
    },
    {
        .name = "1.1.0",
        .version = 2,
        .has_udp = true,
        .numbers_handshake = true,
        .repeat_after = 500 * MILLISECOND,
        .reads_max = 10,
        .read_wait = 50 * MILLISECOND,
        .spent_reads_end = true,
        .drops_misfits = true,
        .copies = STRICT_COPIES_OF_ANY_TYPE,
        .sees_queue = true,
        .says_bye = true,
        .control_frames_max = 8,
        .stall_max = 2 * SECOND,
    },
    {
        .name = "1.2.2",
        .version = 2,
        .has_udp = true,
        .numbers_handshake = true,
        .repeat_after = 500 * MILLISECOND,
        .estimates_round_trip = true,
        .reads_max = 10,
        .read_wait = 50 * MILLISECOND,
        .spent_reads_end = true,
        .drops_misfits = true,
        .copies = STRICT_COPIES_OF_ANY_TYPE,
        .sees_queue = true,
        .says_bye = true,
        .control_frames_max = 8,
        .has_rekey = true,
        .stall_max = 2 * SECOND,
    },
    {
        .name = "1.3",
        .version = 2,
        .has_udp = true,
        .numbers_handshake = true,
        /* "5 to 10 s": the shorter one, and anew for each of the two frames. */
        .handshake_wait = 5 * SECOND,
        .repeat_after = 500 * MILLISECOND,
        .estimates_round_trip = true,
        .reads_max = 10,
        .read_wait = 50 * MILLISECOND,
        .spent_reads_end = true,
        .drops_misfits = true,
        .copies = STRICT_COPIES_OF_ANY_TYPE,
        .sees_queue = true,
        .says_bye = true,
        .control_frames_max = 8,
        .has_rekey = true,
        .stall_max = 2 * SECOND,
    },
};

const size_t strict_era_count = sizeof strict_eras / sizeof strict_eras[0];

const struct strict_era *strict_era_find(const char *name)
{
    for (size_t i = 0; i < strict_era_count; i++) {
        if (strcmp(strict_eras[i].name, name) == 0)
            return &strict_eras[i];
    }
    return NULL;
}
