/* `usmpd --check`: everything that start would refuse, and what it would warn of, without starting. */
#ifndef USMPD_CHECK_H
#define USMPD_CHECK_H

/* Prints what is wrong to standard error, a line each, and returns the exit status; warnings do not change it. */
int check_configuration(const char *path);

#endif
