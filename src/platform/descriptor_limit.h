#ifndef PLATFORM_DESCRIPTOR_LIMIT_H
#define PLATFORM_DESCRIPTOR_LIMIT_H

/* As many open descriptors as the hard limit allows. What a shell allows by itself (1024) is less than the connections
 * that may be silent at one time (docs/security.md rule 9): one stranger could hold them all. To be called at the
 * start; where the kernel refuses, the limit stays as it was. */
void descriptor_limit_raise(void);

#endif
