#include "delivery/answer_ndjson.h"

#include <assert.h>
#include <string.h>

static char *write_text(char *out, const char *text, size_t size)
{
    char *end = json_text_string(out, (const uint8_t *)text, size);
    assert(end != NULL);
    return end;
}

static char *write_ref(char *out, const struct answer_ref *ref)
{
    if (!ref->given)
        return out;
    out = json_text_literal(out, ",\"ref\":\"");
    out = write_text(out, ref->bytes, ref->size);
    return json_text_literal(out, "\"");
}

static size_t finish(char *at, const char *out)
{
    at = json_text_literal(at, "}\n");
    return (size_t)(at - out);
}

size_t answer_ndjson_hello(const struct answer_hello *hello, char *out)
{
    char *at = json_text_literal(out, "{\"type\":\"hello\",\"protocol\":1,\"version\":\"");
    at = write_text(at, hello->version, strlen(hello->version));
    at = json_text_literal(at, "\",\"backend\":\"");
    at = write_text(at, hello->backend, strlen(hello->backend));
    at = json_text_literal(at, "\",\"delivery\":\"live\",\"epoch\":\"");
    at = write_text(at, hello->epoch, strlen(hello->epoch));
    at = json_text_literal(at, "\",\"next_id\":");
    at = json_text_number(at, hello->next_id);
    return finish(at, out);
}

size_t answer_ndjson_sent(const struct answer_ref *ref, bool by_device, char *out)
{
    char *at = json_text_literal(out, "{\"type\":\"sent\"");
    at = write_ref(at, ref);
    if (by_device)
        at = json_text_literal(at, ",\"by\":\"device\"");
    else
        at = json_text_literal(at, ",\"by\":\"socket\"");
    return finish(at, out);
}

size_t answer_ndjson_closed(const struct answer_ref *ref, char *out)
{
    char *at = json_text_literal(out, "{\"type\":\"closed\"");
    at = write_ref(at, ref);
    return finish(at, out);
}

static const char *name_of(enum answer_code code)
{
    static const char *const NAMES[] = {
        [ANSWER_IN_USE] = "in_use",           [ANSWER_NOT_CONNECTED] = "not_connected", [ANSWER_EXPIRED] = "expired",
        [ANSWER_UNCONFIRMED] = "unconfirmed", [ANSWER_TOO_LARGE] = "too_large",         [ANSWER_BUSY] = "busy",
        [ANSWER_FORBIDDEN] = "forbidden",     [ANSWER_BAD_REQUEST] = "bad_request",
    };
    assert(code < sizeof NAMES / sizeof NAMES[0]);
    return NAMES[code];
}

size_t answer_ndjson_error(const struct answer_ref *ref, enum answer_code code, const char *message, unsigned limit,
                           char *out)
{
    size_t length = strlen(message);
    assert(length <= ANSWER_MESSAGE_MAX);
    char *at = json_text_literal(out, "{\"type\":\"error\"");
    at = write_ref(at, ref);
    at = json_text_literal(at, ",\"code\":\"");
    const char *name = name_of(code);
    at = write_text(at, name, strlen(name));
    at = json_text_literal(at, "\"");
    if (code == ANSWER_TOO_LARGE) {
        at = json_text_literal(at, ",\"limit\":");
        at = json_text_number(at, limit);
    }
    at = json_text_literal(at, ",\"message\":\"");
    at = write_text(at, message, length);
    at = json_text_literal(at, "\"");
    return finish(at, out);
}

size_t answer_ndjson_session(struct event_ndjson *encoder, const struct answer_ref *ref,
                             const struct directory_session *session, char *out)
{
    char *at = json_text_literal(out, "{\"type\":\"session\"");
    at = write_ref(at, ref);
    at = event_ndjson_device(session->device, session->session, at);
    at = event_ndjson_time(encoder, session->connected, at);
    at = event_ndjson_transport(session->transport, session->wire, &session->peer, at);
    return finish(at, out);
}

size_t answer_ndjson_listed(const struct answer_ref *ref, uint64_t count, char *out)
{
    char *at = json_text_literal(out, "{\"type\":\"listed\"");
    at = write_ref(at, ref);
    at = json_text_literal(at, ",\"count\":");
    at = json_text_number(at, count);
    return finish(at, out);
}
