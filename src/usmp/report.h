/* What the program tells its user on standard error, each a line after "usmp: ". Never a key, and nothing that came
 * from a gateway as it is. */
#ifndef USMP_REPORT_H
#define USMP_REPORT_H

void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
