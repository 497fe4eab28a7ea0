#include "device/program/output.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const type_names[] = {
    [STRICT_TYPE_HELLO] = "HELLO",         [STRICT_TYPE_CHALLENGE] = "CHALLENGE",
    [STRICT_TYPE_HELLO_ACK] = "HELLO_ACK", [STRICT_TYPE_SESSION_OK] = "SESSION_OK",
    [STRICT_TYPE_DATA] = "DATA",           [STRICT_TYPE_PING] = "PING",
    [STRICT_TYPE_PONG] = "PONG",           [STRICT_TYPE_BYE] = "BYE",
    [STRICT_TYPE_DATA_FRAG] = "DATA_FRAG", [STRICT_TYPE_HELLO_RETRY] = "HELLO_RETRY",
    [STRICT_TYPE_REKEY] = "REKEY",
};

static const char *const end_texts[] = {
    [STRICT_END_BYE] = "Remote sent BYE",
    [STRICT_END_GAVE_UP] = "five sends without an answer",
    [STRICT_END_TIMED_OUT] = "no answer to the handshake",
    [STRICT_END_UNEXPECTED_FRAME] = "a frame that does not fit here",
    [STRICT_END_BAD_FRAME] = "a frame with a wrong magic, CRC or tag",
    [STRICT_END_BAD_GATEWAY] = "the gateway does not know the key",
    [STRICT_END_OUT_OF_ORDER] = "a frame out of order",
    [STRICT_END_TOO_LONG] = "a message that is too long",
    [STRICT_END_CONTROL_FRAMES] = "too many control frames",
    [STRICT_END_READS_SPENT] = "a message that did not come in time",
    [STRICT_END_SEQ_SPENT] = "no sequence number is left",
    [STRICT_END_STALLED] = "a frame that stood still",
    [STRICT_END_STREAM_CLOSED] = "the connection is closed",
};

const char *output_end_text(enum strict_end end)
{
    return end_texts[end];
}

/* Takes the line over. Whoever does not read any more will not hear of it either. */
static void write_line(json_t *line)
{
    if (line == NULL || json_dumpf(line, stdout, JSON_COMPACT) != 0)
        abort();
    json_decref(line);
    (void)putchar('\n');
    (void)fflush(stdout);
}

static json_t *error_of(const char *kind, const char *message)
{
    return json_pack("{s:s, s:[s, s], s:s}", "kind", kind, "kinds", kind, "USMPError", "message", message);
}

void output_result(json_int_t call, json_t *result)
{
    write_line(json_pack("{s:I, s:o}", "call", call, "result", result == NULL ? json_null() : result));
}

void output_error(json_int_t call, const char *kind, const char *message)
{
    write_line(json_pack("{s:I, s:o}", "call", call, "error", error_of(kind, message)));
}

void output_ready(const char *version)
{
    write_line(json_pack("{s:s, s:s}", "event", "ready", "version", version));
}

char *output_hex(const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * size + 1);
    if (hex == NULL)
        abort();
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15u];
    }
    hex[2 * size] = '\0';
    return hex;
}

void output_message(const char *device, const uint8_t *bytes, size_t size)
{
    char *hex = output_hex(bytes, size);
    write_line(json_pack("{s:s, s:s, s:s}", "device", device, "event", "message", "data", hex));
    free(hex);
}

void output_frame(const char *device, const char *event, uint8_t type, uint32_t seq)
{
    const char *name = type < sizeof type_names / sizeof type_names[0] ? type_names[type] : NULL;
    write_line(json_pack("{s:s, s:s, s:s, s:I}", "device", device, "event", event, "type",
                         name == NULL ? "unknown" : name, "seq", (json_int_t)seq));
}

void output_paused(const char *device)
{
    write_line(json_pack("{s:s, s:s}", "device", device, "event", "paused"));
}

void output_ended(const char *device, const char *kind, const char *message)
{
    write_line(json_pack("{s:s, s:s, s:o}", "device", device, "event", "ended", "error", error_of(kind, message)));
}
