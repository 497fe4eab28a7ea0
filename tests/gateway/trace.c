#include "gateway/trace.h"

#include <stdarg.h>
#include <string.h>

#include <usmp/frame.h>
#include <usmp/utack.h>

#include "config/device_id.h"
#include "gateway/require.h"
#include "platform/address_text.h"

#define LINE 256u
#define TEXT 80u /* bytes of a payload */

static void write_line(struct trace *trace, uint64_t now, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void write_line(struct trace *trace, uint64_t now, const char *format, ...)
{
    if (trace->size + LINE > trace->capacity) {
        trace->capacity = (trace->capacity + LINE) * 2;
        trace->text = realloc(trace->text, trace->capacity);
        require(trace->text != NULL);
    }
    char line[LINE];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    require(size >= 0 && (size_t)size < sizeof line);
    trace->size += (size_t)snprintf(trace->text + trace->size, trace->capacity - trace->size, "%8.3f  %s\n",
                                    (double)(now - trace->start) / 1e6, line);
    require(trace->size < trace->capacity);
}

static void name_datagram(const uint8_t *bytes, size_t size, char name[LINE / 2])
{
    struct usmp_utack utack;
    struct usmp_frame frame;
    if (usmp_utack_read(bytes, size, &utack))
        snprintf(name, LINE / 2, "UTACK of %s %u (%zu bytes)", usmp_type_name(utack.type), utack.seq, size);
    else if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE)
        snprintf(name, LINE / 2, "%s %u, wire %u (%zu bytes)", usmp_type_name(frame.type), frame.seq, frame.version,
                 size);
    else
        snprintf(name, LINE / 2, "what is no frame (%zu bytes)", size);
}

static void write_carried(struct trace *trace, bool to_gateway, const struct address *peer, const char *what,
                          const uint8_t *bytes, size_t size, uint64_t now)
{
    char address[ADDRESS_TEXT_SIZE];
    char name[LINE / 2];
    address_format(peer, address);
    name_datagram(bytes, size, name);
    write_line(trace, now, "%s %s %s%s", address, to_gateway ? "->" : "<-", name, what);
}

void trace_packet(struct trace *trace, const struct packet *packet, uint64_t now)
{
    if (trace != NULL)
        write_carried(trace, packet->to_gateway, &packet->path.peer, "", packet->bytes, packet->size, now);
}

void trace_loss(struct trace *trace, bool to_gateway, const struct shard_path *path, const uint8_t *bytes, size_t size,
                uint64_t now)
{
    if (trace != NULL)
        write_carried(trace, to_gateway, &path->peer, " is lost", bytes, size, now);
}

void trace_stream(struct trace *trace, bool to_gateway, const struct shard_path *path, const uint8_t *bytes,
                  size_t size, uint64_t now)
{
    struct usmp_frame frame;
    size_t total;
    if (trace == NULL)
        return;
    while (size > 0 && usmp_frame_parse(bytes, size, &frame, &total) == USMP_FRAME_COMPLETE) {
        write_carried(trace, to_gateway, &path->peer, "", bytes, total, now);
        bytes += total;
        size -= total;
    }
}

void trace_close(struct trace *trace, const struct shard_path *path, uint64_t now)
{
    char address[ADDRESS_TEXT_SIZE];
    if (trace == NULL)
        return;
    address_format(&path->peer, address);
    write_line(trace, now, "%s <- closes the connection", address);
}

static const char *reason_name(enum seam_reason reason)
{
    static const char *const names[] = {
        [SEAM_BYE] = "bye",   [SEAM_TIMEOUT] = "timeout", [SEAM_REPLACED] = "replaced", [SEAM_PROTOCOL] = "protocol",
        [SEAM_PEER] = "peer", [SEAM_CLOSED] = "closed",   [SEAM_REVOKED] = "revoked",   [SEAM_SHUTDOWN] = "shutdown",
    };
    return names[reason];
}

void trace_event(struct trace *trace, const struct seam_event *event, const uint8_t *payload, uint64_t now)
{
    char id[CONFIG_DEVICE_ID_TEXT];
    char peer[ADDRESS_TEXT_SIZE];
    if (trace == NULL)
        return;
    config_device_id_format(event->device, id);
    switch (event->kind) {
    case SEAM_CONNECTED:
        address_format(&event->peer, peer);
        write_line(trace, now, "  event: %s connected from %s over %s, wire %u", id, peer,
                   event->transport == SEAM_UDP ? "udp" : "tcp", event->wire);
        break;
    case SEAM_MESSAGE:
        write_line(trace, now, "  event: %s says \"%.*s\"%s", id, event->size < TEXT ? event->size : (int)TEXT,
                   (const char *)payload, event->size < TEXT ? "" : " and more");
        break;
    case SEAM_DISCONNECTED:
        write_line(trace, now, "  event: %s disconnected: %s", id, reason_name(event->reason));
        break;
    }
}

static const char *outcome_name(enum seam_outcome outcome)
{
    static const char *const names[] = {
        [SEAM_PENDING] = "pending",
        [SEAM_SENT_BY_DEVICE] = "sent, says the device",
        [SEAM_SENT_BY_SOCKET] = "sent, says the socket",
        [SEAM_CLOSE_DONE] = "closed",
        [SEAM_NOT_CONNECTED] = "not connected",
        [SEAM_EXPIRED] = "expired",
        [SEAM_UNCONFIRMED] = "unconfirmed",
        [SEAM_TOO_LARGE] = "too large",
        [SEAM_BUSY] = "busy",
        [SEAM_FORBIDDEN] = "forbidden",
    };
    return names[outcome];
}

void trace_command(struct trace *trace, const struct seam_command *command, uint64_t now)
{
    char id[CONFIG_DEVICE_ID_TEXT];
    if (trace == NULL)
        return;
    config_device_id_format(command->device, id);
    write_line(trace, now, "  command for %s: %s", id, outcome_name(command->outcome));
}

void trace_remark(struct trace *trace, const char *text, uint64_t now)
{
    if (trace != NULL)
        write_line(trace, now, "# %s", text);
}

void trace_free(struct trace *trace)
{
    free(trace->text);
    *trace = (struct trace){0};
}
