#include "usmp/interruption.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t interrupting_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

int interruption_open(void)
{
    sigset_t signals = interrupting_signals();
    int descriptor = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor >= 0)
        sigprocmask(SIG_BLOCK, &signals, NULL);
    return descriptor;
}

void interruption_close(int descriptor)
{
    if (descriptor < 0)
        return;
    /* The one that came is still pending and shall not count as the second one. */
    struct signalfd_siginfo taken;
    while (read(descriptor, &taken, sizeof taken) > 0)
        continue;
    close(descriptor);
    sigset_t signals = interrupting_signals();
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
}
