/* docs/protocol.md section 3: each frame of a step is made by its sender and opened by its receiver, who puts
 * fragments together. Over TCP, so seq is the next one in each direction. */
#include "vectors/replay/transcript.h"

#include <string.h>

#include <usmp/fragments.h>
#include <usmp/frame.h>
#include <usmp/reassembly.h>
#include <usmp/record.h>

/* One direction: what its sender and its receiver keep. */
struct direction {
    uint8_t *key;      /* in the session's keys */
    uint32_t send_seq; /* the sender's next */
    uint32_t due_seq;  /* the receiver's next */
    struct usmp_reassembly reassembly;
    uint8_t message[USMP_MESSAGE_MAX]; /* the receiver's, as far as it has come */
    size_t message_size;
};

struct session {
    const struct replay *replay;
    struct usmp_keys keys;
    struct direction from_device;
    struct direction from_gateway;
    bool is_over;
};

static void start_directions(struct session *session)
{
    session->from_device = (struct direction){.key = session->keys.device_to_gateway};
    session->from_gateway = (struct direction){.key = session->keys.gateway_to_device};
    usmp_reassembly_init(&session->from_device.reassembly);
    usmp_reassembly_init(&session->from_gateway.reassembly);
}

/* The receiver's side of one frame: opened, in order, put behind what has come of the message. */
static bool receive(const struct session *session, struct direction *direction, const uint8_t *bytes, size_t size,
                    struct usmp_reassembly_step *step)
{
    struct replay_report *report = session->replay->report;
    struct usmp_frame frame;
    size_t total = 0;
    enum usmp_frame_verdict verdict = usmp_frame_parse(bytes, size, &frame, &total);
    if (verdict != USMP_FRAME_COMPLETE || total != size)
        return replay_report_differs(report, "the frame is refused: %s", usmp_frame_verdict_name(verdict));
    if (frame.seq != direction->due_seq)
        return replay_report_differs(report, "the receiver waits for seq %u", direction->due_seq);

    const struct usmp_record_context context = {direction->key, session->replay->session_id, USMP_AES_256_GCM};
    uint8_t plaintext[USMP_PLAINTEXT_MAX];
    size_t plaintext_size = 0;
    if (usmp_record_open(&context, &frame, plaintext, &plaintext_size) != USMP_RECORD_OPENED)
        return replay_report_differs(report, "the receiver cannot open the frame");
    *step = usmp_reassembly_check(&direction->reassembly, USMP_TCP, frame.type, frame.seq);
    if (step->action == USMP_REASSEMBLY_BROKEN)
        return replay_report_differs(report, "the receiver finds the fragments out of order");
    usmp_reassembly_accept(&direction->reassembly, USMP_TCP, frame.type, frame.seq);
    direction->due_seq++;

    if (step->action == USMP_REASSEMBLY_BEGIN || step->action == USMP_REASSEMBLY_WHOLE ||
        step->action == USMP_REASSEMBLY_CONTROL)
        direction->message_size = 0;
    if (plaintext_size > sizeof direction->message - direction->message_size)
        return replay_report_differs(report, "the message is too long");
    memcpy(direction->message + direction->message_size, plaintext, plaintext_size);
    direction->message_size += plaintext_size;
    return true;
}

/* One frame on its way: made by the sender, compared, received. */
static bool transfer(const struct session *session, struct direction *direction, uint8_t type, const uint8_t *plaintext,
                     size_t size, const json_t *recorded, struct usmp_reassembly_step *step)
{
    const struct replay *replay = session->replay;
    uint8_t expected[USMP_FRAME_MAX];
    size_t expected_size = 0;
    if (!replay_element(replay->report, recorded, "the frame", expected, sizeof expected, &expected_size))
        return false;

    const struct usmp_record_context context = {direction->key, replay->session_id, USMP_AES_256_GCM};
    uint8_t made[USMP_FRAME_MAX];
    size_t made_size =
        usmp_record_seal(&context, replay->seen.version, type, direction->send_seq, plaintext, size, made);
    direction->send_seq++;
    if (!replay_report_same(replay->report, "the frame", expected, expected_size, made, made_size))
        return false;
    replay->report->session_frames++;
    return receive(session, direction, expected, expected_size, step);
}

/* The frames of `member`, which must be as many as the message has. */
static bool frames_of(const struct session *session, const json_t *step, const char *member, size_t count,
                      const json_t **frames)
{
    if (!replay_list(session->replay->report, step, member, frames))
        return false;
    if (json_array_size(*frames) != count)
        return replay_report_differs(session->replay->report, "%s has %zu frames, not %zu", member,
                                     json_array_size(*frames), count);
    return true;
}

static bool transfer_message(struct session *session, struct direction *direction, const json_t *step, size_t number)
{
    struct replay_report *report = session->replay->report;
    uint8_t plaintext[USMP_MESSAGE_MAX];
    size_t size = 0;
    const json_t *frames = NULL;
    if (!replay_bytes_up_to(report, step, "plaintext", plaintext, sizeof plaintext, &size) ||
        !frames_of(session, step, "frames", usmp_fragment_count(size), &frames))
        return false;

    struct usmp_reassembly_step result = {USMP_REASSEMBLY_BROKEN, false};
    for (size_t i = 0; i < json_array_size(frames); i++) {
        struct usmp_fragment fragment = usmp_fragment_at(size, i);
        replay_report_at(report, "session[%zu].frames[%zu]", number, i);
        if (!transfer(session, direction, fragment.type, plaintext + fragment.offset, fragment.size,
                      json_array_get(frames, i), &result))
            return false;
    }
    if (result.action != USMP_REASSEMBLY_WHOLE && result.action != USMP_REASSEMBLY_COMPLETE)
        return replay_report_differs(report, "the receiver has no whole message");
    report->messages++;
    return replay_report_same(report, "the plaintext", plaintext, size, direction->message, direction->message_size);
}

static bool transfer_control(struct session *session, struct direction *direction, uint8_t type,
                             const uint8_t *plaintext, size_t size, const json_t *step, const char *member,
                             size_t number)
{
    struct replay_report *report = session->replay->report;
    const json_t *frames = NULL;
    struct usmp_reassembly_step result;
    if (!frames_of(session, step, member, 1, &frames))
        return false;
    replay_report_at(report, "session[%zu].%s[0]", number, member);
    if (!transfer(session, direction, type, plaintext, size, json_array_get(frames, 0), &result))
        return false;
    return replay_report_same(report, "the plaintext", plaintext, size, direction->message, direction->message_size);
}

static bool device_sends(struct session *session, const json_t *step, size_t number)
{
    return transfer_message(session, &session->from_device, step, number);
}

static bool gateway_sends(struct session *session, const json_t *step, size_t number)
{
    return transfer_message(session, &session->from_gateway, step, number);
}

static bool device_pings(struct session *session, const json_t *step, size_t number)
{
    return transfer_control(session, &session->from_device, USMP_PING, NULL, 0, step, "frames", number) &&
           transfer_control(session, &session->from_gateway, USMP_PONG, NULL, 0, step, "gateway answers", number);
}

static bool device_says_bye(struct session *session, const json_t *step, size_t number)
{
    session->is_over = true;
    return transfer_control(session, &session->from_device, USMP_BYE, NULL, 0, step, "frames", number);
}

static bool device_rekeys(struct session *session, const json_t *step, size_t number)
{
    const struct replay *replay = session->replay;
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    struct usmp_keys recorded;
    if (replay->seen.version != USMP_WIRE_2)
        return replay_report_differs(replay->report, "wire 1 has no REKEY");
    if (!replay_bytes(replay->report, step, "salt", salt, sizeof salt) ||
        !replay_bytes(replay->report, step, "new_device_to_gateway_key", recorded.device_to_gateway, USMP_KEY_SIZE) ||
        !replay_bytes(replay->report, step, "new_gateway_to_device_key", recorded.gateway_to_device, USMP_KEY_SIZE) ||
        !transfer_control(session, &session->from_device, USMP_REKEY, salt, sizeof salt, step, "frames", number))
        return false;

    /* The device has the salt, the gateway what it has read from the frame. */
    struct usmp_keys of_device;
    struct usmp_keys of_gateway;
    usmp_keys_rekey(&session->keys, USMP_DEVICE, replay->session_id, salt, &of_device);
    usmp_keys_rekey(&session->keys, USMP_DEVICE, replay->session_id, session->from_device.message, &of_gateway);
    if (!replay_report_same(replay->report, "new device to gateway", recorded.device_to_gateway, USMP_KEY_SIZE,
                            of_device.device_to_gateway, USMP_KEY_SIZE) ||
        !replay_report_same(replay->report, "new gateway to device", recorded.gateway_to_device, USMP_KEY_SIZE,
                            of_device.gateway_to_device, USMP_KEY_SIZE) ||
        memcmp(&of_device, &of_gateway, sizeof of_device) != 0)
        return replay_report_differs(replay->report, "device and gateway come to different keys");
    session->keys = of_gateway;
    start_directions(session);
    return true;
}

static bool replay_step(struct session *session, const json_t *step, size_t number)
{
    static const struct {
        const char *name;
        bool (*replay)(struct session *session, const json_t *step, size_t number);
    } kinds[] = {
        {"device sends", device_sends},       {"gateway sends", gateway_sends}, {"device pings", device_pings},
        {"device says bye", device_says_bye}, {"device rekeys", device_rekeys},
    };
    struct replay_report *report = session->replay->report;
    const char *name = NULL;
    if (!json_is_object(step))
        return replay_report_differs(report, "is not an object");
    if (session->is_over)
        return replay_report_differs(report, "the session has ended before");
    if (!replay_text(report, step, "do", &name))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(name, kinds[i].name) == 0)
            return kinds[i].replay(session, step, number);
    }
    return replay_report_differs(report, "do is \"%s\", which is no step that there is", name);
}

bool replay_session(const struct replay *replay)
{
    struct session session = {.replay = replay, .keys = replay->keys};
    const json_t *steps = NULL;
    replay_report_at(replay->report, "session");
    if (!replay_list(replay->report, replay->transcript, "session", &steps))
        return false;
    start_directions(&session);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        replay_report_at(replay->report, "session[%zu]", i);
        if (!replay_step(&session, json_array_get(steps, i), i))
            return false;
    }
    return true;
}
