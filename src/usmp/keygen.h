/* `usmp keygen`. */
#ifndef USMP_KEYGEN_H
#define USMP_KEYGEN_H

/* Writes 32 random bytes as 64 hex digits and a newline to standard output; returns the exit status. */
int keygen(void);

#endif
