/* What happens in a world, a line each, for traces that are looked at: datagrams and writes with time, direction, type
 * and seq; events; commands that are done. Keys, nonces and session ids are no part of it. All calls take NULL. */
#ifndef TESTS_GATEWAY_TRACE_H
#define TESTS_GATEWAY_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/link.h"
#include "seam/command.h"
#include "seam/event.h"

struct trace {
    char *text;
    size_t size;
    size_t capacity;
    uint64_t start; /* lines count time from here */
};

void trace_packet(struct trace *trace, const struct packet *packet, uint64_t now);
void trace_loss(struct trace *trace, bool to_gateway, const struct shard_path *path, const uint8_t *bytes, size_t size,
                uint64_t now);
void trace_stream(struct trace *trace, bool to_gateway, const struct shard_path *path, const uint8_t *bytes,
                  size_t size, uint64_t now);
void trace_close(struct trace *trace, const struct shard_path *path, uint64_t now);
void trace_event(struct trace *trace, const struct seam_event *event, const uint8_t *payload, uint64_t now);
void trace_command(struct trace *trace, const struct seam_command *command, uint64_t now);
/* A remark of the test's own. */
void trace_remark(struct trace *trace, const char *text, uint64_t now);

void trace_free(struct trace *trace);

#endif
