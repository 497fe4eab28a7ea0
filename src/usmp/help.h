/* What --help prints. */
#ifndef USMP_HELP_H
#define USMP_HELP_H

extern const char help_of_program[];
extern const char help_of_keygen[];
extern const char help_of_send[];
extern const char help_of_connect[];

#endif
