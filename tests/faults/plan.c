#define _GNU_SOURCE
#include "faults/plan.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 128u
#define NAME_SIZE 48u
#define LINE_SIZE 512u

static struct {
    atomic_bool counting;
    int record; /* -1: nobody wants it */
    char name[NAME_SIZE];
    unsigned long first;
    unsigned long last;
    struct fault fault;
} plan = {.record = -1};

/* A place is taken by whoever sets the name; names are compared by their text, since a literal may have copies. */
static struct {
    _Atomic(const char *) name;
    atomic_ulong count;
} calls[CALLS_MAX];

static void record(const char *line, int length)
{
    if (plan.record >= 0 && length > 0 && (size_t)length < LINE_SIZE) {
        (void)syscall(SYS_write, plan.record, line, (size_t)length);
    }
}

static bool is_same(const char *known, const char *name)
{
    return known == name || strcmp(known, name) == 0;
}

static unsigned long count(const char *name)
{
    for (size_t index = 0; index < CALLS_MAX; index++) {
        const char *known = atomic_load(&calls[index].name);
        if (known == NULL && atomic_compare_exchange_strong(&calls[index].name, &known, name)) {
            known = name;
        }
        if (is_same(known, name)) {
            return atomic_fetch_add(&calls[index].count, 1) + 1;
        }
    }
    abort();
}

static void record_fault(unsigned long number, const void *caller)
{
    char line[LINE_SIZE];
    Dl_info info = {.dli_fname = NULL};
    bool known = dladdr(caller, &info) != 0 && info.dli_fname != NULL;
    record(line, snprintf(line, sizeof line, "struck %s %lu %s\n", plan.name, number, known ? info.dli_fname : "?"));
}

struct fault fault_at(const char *name, const void *caller)
{
    static const struct fault none = {.kind = FAULT_NONE};
    if (!atomic_load(&plan.counting)) {
        return none;
    }
    unsigned long number = count(name);
    if (number < plan.first || number > plan.last || strcmp(name, plan.name) != 0) {
        return none;
    }
    record_fault(number, caller);
    return plan.fault;
}

static void wrong(const char *text)
{
    (void)fprintf(stderr, "USMPD_FAULT: what is %s?\n", text);
    abort();
}

/* NAME:FIRST[-LAST][:ERRNO|:short] */
static void read_plan(const char *text)
{
    char *end;
    size_t length = strcspn(text, ":");
    if (length == 0 || length >= NAME_SIZE || text[length] != ':') {
        wrong(text);
    }
    memcpy(plan.name, text, length);
    plan.first = strtoul(text + length + 1, &end, 10);
    plan.last = *end == '-' ? strtoul(end + 1, &end, 10) : plan.first;
    plan.fault.kind = FAULT_ERROR;
    if (strcmp(end, ":short") == 0) {
        plan.fault.kind = FAULT_SHORT;
    } else if (*end == ':') {
        plan.fault.error = (int)strtol(end + 1, &end, 10);
    }
    if (plan.first == 0 || plan.last < plan.first || (plan.fault.kind == FAULT_ERROR && *end != '\0')) {
        wrong(text);
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("USMPD_FAULT_RECORD");
    const char *faults = getenv("USMPD_FAULT");
    if (file != NULL) {
        plan.record = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    if (faults != NULL) {
        read_plan(faults);
    }
    atomic_store(&plan.counting, true);
}

__attribute__((destructor)) static void end(void)
{
    atomic_store(&plan.counting, false);
    for (size_t index = 0; index < CALLS_MAX && atomic_load(&calls[index].name) != NULL; index++) {
        char line[LINE_SIZE];
        record(line, snprintf(line, sizeof line, "count %s %lu\n", atomic_load(&calls[index].name),
                              atomic_load(&calls[index].count)));
    }
}
