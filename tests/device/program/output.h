/* The lines that the program writes: answers to calls, and events (tests/interop/device.py describes both). */
#ifndef TESTS_DEVICE_PROGRAM_OUTPUT_H
#define TESTS_DEVICE_PROGRAM_OUTPUT_H

#include <jansson.h>

#include "device/device.h"

/* `result` NULL: null. It is taken over. */
void output_result(json_int_t call, json_t *result);
void output_error(json_int_t call, const char *kind, const char *message);

void output_ready(const char *version);
void output_message(const char *device, const uint8_t *bytes, size_t size);
/* `event` is "opened" or "repeated". */
void output_frame(const char *device, const char *event, uint8_t type, uint32_t seq);
void output_paused(const char *device);
void output_ended(const char *device, const char *kind, const char *message);

/* What an SDK's exception would say. */
const char *output_end_text(enum strict_end end);

/* Lower case; the caller frees it. */
char *output_hex(const uint8_t *bytes, size_t size);

#endif
