#include "delivery/event_ndjson.h"

#include <assert.h>
#include <string.h>

#include "platform/address_text.h"

/* Readers may keep ids in a double. */
#define ID_LIMIT (UINT64_C(1) << 53)

char *event_ndjson_time(struct event_ndjson *encoder, int64_t time, char *out)
{
    out = json_text_literal(out, ",\"time\":\"");
    char text[CLOCK_TEXT_SIZE];
    clock_format(&encoder->clock, time > 0 ? (uint64_t)time : 0, text);
    memcpy(out, text, CLOCK_TEXT_SIZE - 1);
    out += CLOCK_TEXT_SIZE - 1;
    return json_text_literal(out, "\"");
}

char *event_ndjson_device(const uint8_t device[static 6], const uint8_t session[static 16], char *out)
{
    out = json_text_literal(out, ",\"device\":\"");
    out = json_text_device(out, device);
    out = json_text_literal(out, "\",\"session\":\"");
    out = json_text_hex(out, session, 16);
    return json_text_literal(out, "\"");
}

char *event_ndjson_transport(enum seam_transport transport, unsigned wire, const struct address *peer, char *out)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(peer, text);
    if (transport == SEAM_TCP)
        out = json_text_literal(out, ",\"transport\":\"tcp\",\"wire\":");
    else
        out = json_text_literal(out, ",\"transport\":\"udp\",\"wire\":");
    out = json_text_number(out, wire);
    out = json_text_literal(out, ",\"peer\":\"");
    size_t length = strlen(text);
    memcpy(out, text, length);
    out += length;
    return json_text_literal(out, "\"");
}

static char *write_payload(const struct event_ndjson *encoder, const uint8_t *payload, size_t size, char *out)
{
    if (!encoder->always_base64) {
        char *text = json_text_literal(out, ",\"text\":\"");
        text = json_text_string(text, payload, size);
        if (text != NULL)
            return json_text_literal(text, "\"");
    }
    out = json_text_literal(out, ",\"base64\":\"");
    out = json_text_base64(out, payload, size);
    return json_text_literal(out, "\"");
}

static char *write_reason(enum seam_reason reason, char *out)
{
    static const char *const NAMES[] = {
        [SEAM_BYE] = "bye",   [SEAM_TIMEOUT] = "timeout", [SEAM_REPLACED] = "replaced", [SEAM_PROTOCOL] = "protocol",
        [SEAM_PEER] = "peer", [SEAM_CLOSED] = "closed",   [SEAM_REVOKED] = "revoked",   [SEAM_SHUTDOWN] = "shutdown",
    };
    assert(reason < sizeof NAMES / sizeof NAMES[0]);
    out = json_text_literal(out, ",\"reason\":\"");
    size_t length = strlen(NAMES[reason]);
    memcpy(out, NAMES[reason], length);
    return json_text_literal(out + length, "\"");
}

static char *write_type_and_id(enum seam_event_kind kind, uint64_t id, char *out)
{
    assert(id < ID_LIMIT);
    switch (kind) {
    case SEAM_CONNECTED:
        out = json_text_literal(out, "{\"type\":\"connected\",\"id\":");
        break;
    case SEAM_MESSAGE:
        out = json_text_literal(out, "{\"type\":\"message\",\"id\":");
        break;
    case SEAM_DISCONNECTED:
        out = json_text_literal(out, "{\"type\":\"disconnected\",\"id\":");
        break;
    }
    return json_text_number(out, id);
}

size_t event_ndjson_write(struct event_ndjson *encoder, uint64_t id, const struct seam_event *event,
                          const uint8_t *payload, char *out)
{
    char *at = write_type_and_id(event->kind, id, out);
    at = event_ndjson_time(encoder, event->time, at);
    at = event_ndjson_device(event->device, event->session, at);
    if (event->kind == SEAM_CONNECTED)
        at = event_ndjson_transport(event->transport, event->wire, &event->peer, at);
    else if (event->kind == SEAM_MESSAGE)
        at = write_payload(encoder, payload, event->size, at);
    else
        at = write_reason(event->reason, at);
    at = json_text_literal(at, "}\n");
    return (size_t)(at - out);
}

size_t event_ndjson_write_lost(struct event_ndjson *encoder, const struct queued_event *lost, char *out)
{
    assert(lost->id < ID_LIMIT);
    char *at = json_text_literal(out, "{\"type\":\"lost\",\"id\":");
    at = json_text_number(at, lost->id);
    at = event_ndjson_time(encoder, lost->lost.time, at);
    at = json_text_literal(at, ",\"count\":");
    at = json_text_number(at, lost->lost.count);
    at = json_text_literal(at, ",\"first\":");
    at = json_text_number(at, lost->lost.first);
    at = json_text_literal(at, ",\"last\":");
    at = json_text_number(at, lost->lost.last);
    at = json_text_literal(at, "}\n");
    return (size_t)(at - out);
}
