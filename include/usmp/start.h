/* What must happen once before anything else of libusmp is called. */
#ifndef USMP_START_H
#define USMP_START_H

#include <usmp/wire.h>

/* Chooses and tests the implementations of the cryptography. NULL when all is well, otherwise what is wrong, in words
 * for a user; nothing else may be called then. Further calls, from any thread, return the same. */
const char *usmp_start(void) USMP_MUST_USE;

#endif
