#ifndef FAULTS_PLAN_H
#define FAULTS_PLAN_H

/* Which calls of a process fail, and how often each was made.
 *
 * The process is told by its environment:
 *
 *   USMPD_FAULT=sendmmsg:17          the 17th call of sendmmsg fails as it usually would
 *   USMPD_FAULT=sendmmsg:17:4        it fails with errno 4
 *   USMPD_FAULT=sendmmsg:17-30:105   the 17th to the 30th fail with errno 105
 *   USMPD_FAULT=send:1-100:short     each of the first hundred takes one byte
 *   USMPD_FAULT_RECORD=FILE          one line for each fault as it happens: `struck NAME NUMBER CALLER`, and at the
 *                                    end one for each call that was made: `count NAME NUMBER`
 *
 * Calls are counted from the end of the process's constructors on, in all threads together. Nothing here allocates or
 * goes through a wrapped call. */

enum fault_kind {
    FAULT_NONE,
    FAULT_ERROR,
    FAULT_SHORT, /* one byte is taken of what there is to write */
};

struct fault {
    enum fault_kind kind;
    int error; /* errno; 0: the usual one of this call */
};

/* To be called once for each call, `name` being always the same literal's text. `caller` is an address in the code that
 * called, for the record. */
struct fault fault_at(const char *name, const void *caller);

#endif
