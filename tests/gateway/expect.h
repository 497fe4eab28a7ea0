/* What a test expects of a world, as cmocka's assertions. */
#ifndef TESTS_GATEWAY_EXPECT_H
#define TESTS_GATEWAY_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/world.h"

/* The n-th event so far, counted from 0, is this one. */
void expect_connected(const struct world *world, size_t index, const char *id);
void expect_message(const struct world *world, size_t index, const char *id, const void *bytes, size_t size);
void expect_text(const struct world *world, size_t index, const char *id, const char *text);
void expect_disconnected(const struct world *world, size_t index, const char *id, enum seam_reason reason);
void expect_events(const struct world *world, size_t count);

/* The n-th message that the device has received, and how many those were. */
void expect_received(const struct simulated_device *device, size_t index, const void *bytes, size_t size);
void expect_received_count(const struct simulated_device *device, size_t count);

/* A command is back with this outcome; frees it. */
void expect_outcome(struct seam_command *command, enum seam_outcome outcome);
void expect_pending(const struct seam_command *command);

/* However it came about: every session has one `connected` first and at most one `disconnected` last, a device's
 * sessions follow each other, and credit is where it should be. */
void expect_events_paired(const struct world *world);
/* Every session has ended and nothing is left of any of them. Lets up to half a minute pass. */
void expect_nothing_left(struct world *world);

#endif
