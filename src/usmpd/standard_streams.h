/* Descriptors 0 to 2 of a process that was started without them. */
#ifndef USMPD_STANDARD_STREAMS_H
#define USMPD_STANDARD_STREAMS_H

/* Opens /dev/null in the place of each that is closed: otherwise a socket would get its number, and what is meant for
 * standard error would go to a device. First of all. Returns 0 or a negative errno. */
int standard_streams_complete(void) __attribute__((warn_unused_result));

#endif
