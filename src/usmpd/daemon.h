/* The daemon: what is started in which order, what a signal does, how it ends. The parts do the work. */
#ifndef USMPD_DAEMON_H
#define USMPD_DAEMON_H

/* Runs until a signal ends it; returns the exit status. */
int daemon_run(const char *config_path);

#endif
