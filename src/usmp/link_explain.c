#include <string.h>

#include "usmp/link.h"

/* What a gateway that refuses looks like: it goes on, or hangs up, without a word, and does not say why. */
static const char *explain_refusal(const struct link *link)
{
    if (link->was_challenged)
        return "it does not take this device: it does not know the id, or has another key for it";
    return "it answers no HELLO: no gateway for this wire and transport, or it is full, or has locked this address out";
}

static void explain_handshake(const struct link *link, struct error_text *reason)
{
    switch (link->device.failure) {
    case USMP_DEVICE_NO_ANSWER:
        if (link->was_challenged)
            error_text_set(reason, "%s", explain_refusal(link));
        else
            error_text_set(reason, "no answer");
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
            error_text_set(reason, "the gateway closed the connection: %s", explain_refusal(link));
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
