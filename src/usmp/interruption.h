/* SIGINT and SIGTERM as something to wait for, so that a session ends with BYE. */
#ifndef USMP_INTERRUPTION_H
#define USMP_INTERRUPTION_H

/* From here on the signals only make the descriptor readable. -1 when there is none to be had: they then end the
 * process as they do by default. */
int interruption_open(void) __attribute__((warn_unused_result));

/* The signals do again what they do by default, so that a second one ends the process at once. -1 is allowed. */
void interruption_close(int descriptor);

#endif
