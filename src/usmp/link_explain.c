#include <string.h>

#include "usmp/link.h"

/* A gateway that refuses goes on, or hangs up, without a word. */
static void explain_refusal(const struct link *link, struct error_text *reason)
{
    if (link->was_challenged)
        error_text_set(reason, "the gateway refuses this device: it does not know it, or has another key for it");
    else if (link->end == LINK_END_HUNG_UP)
        error_text_set(reason,
                       "the gateway hung up: it does not speak wire %d, is full, or has locked this address out",
                       link->start.version);
    else
        error_text_set(reason, "no answer");
}

static void explain_handshake(const struct link *link, struct error_text *reason)
{
    switch (link->device.failure) {
    case USMP_DEVICE_NO_ANSWER:
        explain_refusal(link, reason);
        return;
    case USMP_DEVICE_WRONG_GATEWAY:
        error_text_set(reason, "the gateway has another key for this device");
        return;
    case USMP_DEVICE_BAD_PUBLIC_KEY:
        error_text_set(reason, "the gateway sent a public key that is none");
        return;
    case USMP_DEVICE_PROTOCOL:
    case USMP_DEVICE_NO_FAILURE:
        break;
    }
    error_text_set(reason, "the gateway does not keep to the handshake of this wire");
}

static void explain_session(const struct link *link, struct error_text *reason)
{
    switch (link->device.session.end) {
    case USMP_END_BYE:
        error_text_set(reason, "the gateway said goodbye");
        return;
    case USMP_END_PROTOCOL:
        error_text_set(reason, "the gateway broke the protocol");
        return;
    case USMP_END_EXHAUSTED:
        error_text_set(reason, "the session has used up its sequence numbers");
        return;
    case USMP_END_GIVEN_UP:
    case USMP_END_UNCONFIRMED:
        error_text_set(reason, "the gateway does not answer any more");
        return;
    case USMP_END_NONE:
    case USMP_END_CLOSED:
        break;
    }
    error_text_set(reason, "the session was closed");
}

void link_explain(const struct link *link, struct error_text *reason)
{
    bool had_session = link->device.state == USMP_DEVICE_CONNECTED;
    switch (link->end) {
    case LINK_END_NONE:
    case LINK_END_CLOSED:
        error_text_set(reason, "closed");
        break;
    case LINK_END_SOCKET:
        error_text_set(reason, "%s", strerror(link->error));
        break;
    case LINK_END_HUNG_UP:
        if (had_session)
            error_text_set(reason, "the gateway closed the connection");
        else
            explain_refusal(link, reason);
        break;
    case LINK_END_NOT_USMP:
        error_text_set(reason, "what comes from there is not USMP");
        break;
    case LINK_END_DEVICE:
        if (had_session)
            explain_session(link, reason);
        else
            explain_handshake(link, reason);
        break;
    case LINK_END_LATE:
        error_text_set(reason, "no connection in time");
        break;
    }
}
