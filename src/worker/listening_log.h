/* Says in the log where devices reach us, as the kernel has it: a port that it chose, an address that was inherited. */
#ifndef WORKER_LISTENING_LOG_H
#define WORKER_LISTENING_LOG_H

/* `transport` is a literal: "tcp" or "udp". */
void listening_log(int descriptor, const char *transport);

#endif
