/* Carries out what a backend asks for: checks whether it may, hands sends and closes to the shard of the device's
 * session, and answers (docs/backend.md, docs/security.md rule 23).
 *
 * What is checked, in this order: may this backend give commands and is the device among its own (forbidden, whether
 * there is such a device or not), is the device connected or may the message wait, is the payload short enough, is
 * there room under the bounds of hub.h (busy).
 */
#ifndef DELIVERY_COMMAND_RUN_H
#define DELIVERY_COMMAND_RUN_H

#include <stddef.h>

#include "seam/command.h"

struct connection;
struct hub;
struct pending_command;

/* A line of a backend, without its LF. */
void command_run(struct connection *connection, const char *line, size_t size);

/* A line that was longer than NDJSON_LINE_MAX. */
void command_refuse_long_line(struct connection *connection);

/* A shard has handed a command back: it goes on elsewhere, or is answered. */
void command_finish(struct hub *hub, struct seam_command *command);

/* Answers the connection that asked, if it is still there, with the command's outcome, and frees the command. */
void command_answer(struct hub *hub, struct pending_command *command);

#endif
