/* docs/protocol.md section 4: a UTACK is made by who received a frame and checked by who sent it. */
#include "vectors/replay/transcript.h"

#include <usmp/utack.h>

static bool replay_utack(const struct replay *replay, const json_t *entry)
{
    struct replay_report *report = replay->report;
    uint32_t type = 0;
    uint32_t seq = 0;
    uint8_t record_key[USMP_KEY_SIZE];
    uint8_t recorded[USMP_UTACK_KEYED_SIZE];
    if (!json_is_object(entry))
        return replay_report_differs(report, "is not an object");
    if (!replay_number(report, entry, "acknowledged_type", UINT8_MAX, &type) ||
        !replay_number(report, entry, "acknowledged_seq", UINT32_MAX, &seq) ||
        !replay_bytes(report, entry, "receiver_rx_key", record_key, sizeof record_key) ||
        !replay_bytes(report, entry, "utack", recorded, sizeof recorded))
        return false;

    struct usmp_utack_key key;
    uint8_t made[USMP_UTACK_KEYED_SIZE];
    usmp_utack_key_init(&key, record_key);
    size_t made_size = usmp_utack_write_keyed(&key, (uint8_t)type, seq, made);
    if (!replay_report_same(report, "the UTACK", recorded, sizeof recorded, made, made_size))
        return false;

    struct usmp_utack utack;
    if (!usmp_utack_read(recorded, sizeof recorded, &utack) || utack.type != type || utack.seq != seq ||
        !usmp_utack_is_authentic(&key, &utack))
        return replay_report_differs(report, "the sender of the frame refuses the UTACK");
    report->utacks++;
    return true;
}

bool replay_utacks(const struct replay *replay)
{
    const json_t *list = NULL;
    replay_report_at(replay->report, "utacks");
    if (replay->seen.version == USMP_WIRE_1) {
        if (json_array_size(json_object_get(replay->transcript, "utacks")) > 0)
            return replay_report_differs(replay->report, "UTACKs of wire 1 have no MAC to replay");
        return true;
    }
    if (!replay_list(replay->report, replay->transcript, "utacks", &list))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        replay_report_at(replay->report, "utacks[%zu]", i);
        if (!replay_utack(replay, json_array_get(list, i)))
            return false;
    }
    return true;
}
